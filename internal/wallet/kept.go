package wallet

import "github.com/liangche/liangche/internal/money"

// Kept is what is left of a top-up after what went back of it.
type Kept struct {
	PostingID        int64 // of the top-up
	PaidFen, KeptFen money.Fen
}
