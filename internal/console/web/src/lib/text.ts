/** A card number in groups of four, as it is printed and read out. */
export function cardNo(no: string): string {
  return no.replace(/(\d{4})(?=\d)/g, '$1 ')
}
