package payment

import (
	"context"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/money"
)

// Audit recomputes what this package's tables say and reports every difference, in Chinese. Faults: of the database.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	for _, check := range []func(context.Context, func(string, ...any)) error{s.auditStates, s.auditHistory, s.auditTransactions, s.auditRefunds} {
		if err := check(ctx, func(format string, args ...any) { report(fmt.Sprintf(format, args...)) }); err != nil {
			return err
		}
	}
	return nil
}

// auditStates reads every payment once, in pages, and checks what a row alone can prove.
func (s *Service) auditStates(ctx context.Context, report func(string, ...any)) error {
	for last := int64(0); ; {
		var rows []intent
		if err := s.db.Select(ctx, &rows, `SELECT `+intentColumns+` FROM payment_intents WHERE id > ? ORDER BY id LIMIT 1000`, last); err != nil {
			return err
		}
		for _, p := range rows {
			last = p.ID
			auditRow(p, report)
		}
		if len(rows) < 1000 {
			return nil
		}
	}
}

func auditRow(p intent, report func(string, ...any)) {
	states := []string{StateCreated, StatePrepaid, StatePaid, StateClosed, StateFailed, StateMismatch, StateSurplus}
	if !slices.Contains(states, p.State) {
		report("支付 %s 的状态 %q 不存在", p.OutTradeNo, p.State)
		return
	}
	if p.AmountFen < 1 {
		report("支付 %s 的应付金额 %s 不是正数", p.OutTradeNo, money.Fen(p.AmountFen).Yuan())
	}
	holds := p.live() || p.State == StatePaid
	switch {
	case holds && (p.ActiveKey == nil || *p.ActiveKey != activeKey(p.Purpose, p.SubjectID)):
		report("支付 %s 没有占住它的单据", p.OutTradeNo)
	case !holds && p.ActiveKey != nil:
		report("支付 %s 已结束，却仍占住单据", p.OutTradeNo)
	}
	money := p.TransactionID != nil
	if money != (p.PaidAt != nil) || money != (p.PaidFen > 0) {
		report("支付 %s 的微信单号、实付金额与付款时间不一致", p.OutTradeNo)
	}
	switch p.State {
	case StatePaid:
		if !money {
			report("支付 %s 已付，却没有微信支付单号", p.OutTradeNo)
		}
		if p.PaidFen != p.AmountFen {
			report("支付 %s 已付 %d 分，应付 %d 分", p.OutTradeNo, p.PaidFen, p.AmountFen)
		}
	case StateSurplus:
		if !money {
			report("支付 %s 为多收，却没有微信支付单号", p.OutTradeNo)
		}
	case StateCreated, StatePrepaid, StateClosed, StateFailed:
		if money {
			report("支付 %s 状态为 %s，却已收款", p.OutTradeNo, p.State)
		}
	}
	if p.RefundedFen < 0 || p.RefundedFen > p.PaidFen {
		report("支付 %s 已退 %d 分，超过实付 %d 分", p.OutTradeNo, p.RefundedFen, p.PaidFen)
	}
}

// auditHistory finds payments whose last recorded change does not lead to the state that they are in.
func (s *Service) auditHistory(ctx context.Context, report func(string, ...any)) error {
	var rows []struct {
		Number string  `db:"out_trade_no"`
		State  string  `db:"state"`
		Last   *string `db:"to_state"`
	}
	err := s.db.Select(ctx, &rows, `SELECT p.out_trade_no, p.state, h.to_state FROM payment_intents p
		LEFT JOIN (SELECT payment_id, MAX(id) AS last_id FROM payment_history GROUP BY payment_id) m ON m.payment_id = p.id
		LEFT JOIN payment_history h ON h.id = m.last_id
		WHERE h.to_state IS NULL OR h.to_state <> p.state ORDER BY p.id LIMIT 1000`)
	for _, r := range rows {
		last := "（无）"
		if r.Last != nil {
			last = *r.Last
		}
		report("支付 %s 的状态是 %s，但变更记录的最后一条是 %s", r.Number, r.State, last)
	}
	return err
}

// auditTransactions finds a WeChat number on two payments; the unique key should make that impossible.
func (s *Service) auditTransactions(ctx context.Context, report func(string, ...any)) error {
	var ids []string
	err := s.db.Select(ctx, &ids, `SELECT transaction_id FROM payment_intents WHERE transaction_id IS NOT NULL
		GROUP BY transaction_id HAVING COUNT(*) > 1 ORDER BY transaction_id LIMIT 1000`)
	for _, id := range ids {
		report("微信支付单号 %s 出现在多笔支付上", id)
	}
	return err
}

// auditRefunds compares each payment's refunds with its sums.
func (s *Service) auditRefunds(ctx context.Context, report func(string, ...any)) error {
	var rows []struct {
		Number   string `db:"out_trade_no"`
		Paid     int64  `db:"paid_fen"`
		Refunded int64  `db:"refunded_fen"`
		Success  int64  `db:"success_fen"`
		Reserved int64  `db:"reserved_fen"`
	}
	if err := s.db.Select(ctx, &rows, `SELECT p.out_trade_no, p.paid_fen, p.refunded_fen, COALESCE(f.success_fen, 0) AS success_fen,
		COALESCE(f.reserved_fen, 0) AS reserved_fen FROM payment_intents p LEFT JOIN (
			SELECT payment_id, SUM(CASE WHEN state = 'success' THEN amount_fen ELSE 0 END) AS success_fen,
				SUM(CASE WHEN state <> 'closed' THEN amount_fen ELSE 0 END) AS reserved_fen
			FROM payment_refunds GROUP BY payment_id) f ON f.payment_id = p.id
		WHERE p.refunded_fen <> COALESCE(f.success_fen, 0) OR COALESCE(f.reserved_fen, 0) > p.paid_fen ORDER BY p.id LIMIT 1000`); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Refunded != r.Success {
			report("支付 %s 记为已退 %d 分，成功的退款合计 %d 分", r.Number, r.Refunded, r.Success)
		}
		if r.Reserved > r.Paid {
			report("支付 %s 的退款合计 %d 分，超过实付 %d 分", r.Number, r.Reserved, r.Paid)
		}
	}
	var bad []struct {
		Number string `db:"out_refund_no"`
		State  string `db:"state"`
		Amount int64  `db:"amount_fen"`
	}
	err := s.db.Select(ctx, &bad, `SELECT out_refund_no, state, amount_fen FROM payment_refunds
		WHERE state NOT IN ('pending', 'processing', 'success', 'closed', 'abnormal') OR amount_fen < 1
		OR (state IN ('success', 'closed') AND done_at IS NULL) OR (state NOT IN ('success', 'closed') AND done_at IS NOT NULL) ORDER BY id LIMIT 1000`)
	for _, r := range bad {
		report("退款 %s 的状态 %q、金额 %d 分与完成时间不一致", r.Number, r.State, r.Amount)
	}
	return err
}
