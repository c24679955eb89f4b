package member

import (
	"strings"
	"unicode/utf8"
)

// The kinds of plate, by colour.
const (
	PlateBlue   = "blue"   // 7 characters
	PlateGreen  = "green"  // new energy, 8 characters
	PlateYellow = "yellow" // 挂, 学: trailers and driving schools
	PlateOther  = "other"  // 警, 港, 澳, 使, 领
)

// provinces are the first characters of a civil plate.
const provinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

// NormalPlate upper-cases a plate and strips what people type between its characters.
func NormalPlate(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '·' || r == '.' || r == '-' || r == '•' || r == '　' || r == '・' || r == '\t':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'Ａ' && r <= 'Ｚ': // full width, as Chinese keyboards type
			return r - 'Ａ' + 'A'
		case r >= 'ａ' && r <= 'ｚ':
			return r - 'ａ' + 'A'
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return r
	}, s)
}

// ParsePlate normalises a plate and names its kind. complaint says what is wrong with it, "" when it is right:
// a blue plate is province, letter and 5 letters or digits; a new-energy one has 6 after the letter, small cars with D
// or F (and their successors A B C E G H J K) first, large ones with D or F last; 警 学 挂 港 澳 使 领 may end a plate of
// 7. Letters I and O are never used.
func ParsePlate(s string) (plate, kind, complaint string) {
	plate = NormalPlate(s)
	if !utf8.ValidString(plate) {
		return "", "", "车牌含有无法识别的字符"
	}
	r := []rune(plate)
	if len(r) == 0 {
		return "", "", "请填写车牌"
	}
	if len(r) == 7 && r[0] == '使' || len(r) == 7 && isDigits(r[:6]) && r[6] == '使' {
		return parseEmbassy(plate, r)
	}
	if !strings.ContainsRune(provinces, r[0]) {
		return "", "", "车牌应以省份简称开头，如 京A12345"
	}
	if len(r) < 7 {
		return "", "", "车牌少了几位：普通车牌 7 位，新能源 8 位"
	}
	if len(r) > 8 {
		return "", "", "车牌多了几位：普通车牌 7 位，新能源 8 位"
	}
	if !plateLetter(r[1]) {
		return "", "", "车牌第二位应为字母，且不用 I 和 O"
	}
	last := r[len(r)-1]
	if strings.ContainsRune("警学挂港澳使领", last) {
		if len(r) != 7 {
			return "", "", "以「" + string(last) + "」结尾的车牌应为 7 位"
		}
		if c := serial(r[2:6]); c != "" {
			return "", "", c
		}
		if (last == '港' || last == '澳') && r[0] != '粤' {
			return "", "", "港澳两地车牌应以「粤」开头"
		}
		if last == '挂' || last == '学' {
			return plate, PlateYellow, ""
		}
		return plate, PlateOther, ""
	}
	if c := serial(r[2:]); c != "" {
		return "", "", c
	}
	if len(r) == 7 {
		return plate, PlateBlue, ""
	}
	small := strings.ContainsRune("DFABCEGHJK", r[2]) && isDigits(r[4:8]) && (isDigit(r[3]) || plateLetter(r[3]))
	large := (r[7] == 'D' || r[7] == 'F') && isDigits(r[2:7])
	if !small && !large {
		return "", "", "8 位为新能源车牌：小型车第三位为 D 或 F 等字母且后四位为数字，大型车末位为 D 或 F"
	}
	return plate, PlateGreen, ""
}

// parseEmbassy reads 使 plates: 使 and 6 digits, or 6 digits and 使.
func parseEmbassy(plate string, r []rune) (string, string, string) {
	if r[0] == '使' && !isDigits(r[1:]) {
		return "", "", "使馆车牌应为「使」加 6 位数字"
	}
	return plate, PlateOther, ""
}

// serial checks the characters after province and letter.
func serial(r []rune) (complaint string) {
	for _, c := range r {
		switch {
		case c == 'I' || c == 'O':
			return "车牌不用字母 I 和 O，请核对是否为数字 1 和 0"
		case !isDigit(c) && !plateLetter(c):
			return "车牌后几位应为字母或数字"
		}
	}
	return ""
}

func plateLetter(c rune) bool { return c >= 'A' && c <= 'Z' && c != 'I' && c != 'O' }
func isDigit(c rune) bool     { return c >= '0' && c <= '9' }

func isDigits(r []rune) bool {
	for _, c := range r {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
