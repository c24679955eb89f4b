package payment

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// paidBetween reads payments of which WeChat said that they were paid in [from, to), unix ms.
func paidBetween(ctx context.Context, r db.Reader, from, to int64) (rows []intent, err error) {
	err = r.Select(ctx, &rows, `SELECT `+intentColumns+` FROM payment_intents WHERE paid_at >= ? AND paid_at < ? ORDER BY id`, from, to)
	return rows, err
}

func findByNumber(ctx context.Context, r db.Reader, outTradeNo string) (p intent, ok bool, err error) {
	err = r.Get(ctx, &p, `SELECT `+intentColumns+` FROM payment_intents WHERE out_trade_no = ?`, outTradeNo)
	if errors.Is(err, db.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

func refundAmount(ctx context.Context, r db.Reader, outRefundNo string) (amount money.Fen, ok bool, err error) {
	err = r.Get(ctx, &amount, `SELECT amount_fen FROM payment_refunds WHERE out_refund_no = ?`, outRefundNo)
	if errors.Is(err, db.ErrNoRows) {
		return 0, false, nil
	}
	return amount, err == nil, err
}
