package payment

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wechat"
)

// AuditBill compares a day's payments and refunds with WeChat Pay's trade bill of that Chinese date ("2006-01-02", there from 10:00 on
// the next day) and reports each difference in one sentence, in both directions. Errors: those of wechat.TradeBill; a day on which
// WeChat Pay saw nothing is compared as an empty bill.
func (s *Service) AuditBill(ctx context.Context, date string, report func(problem string)) error {
	from, to, err := bizday.Bounds(date, bizday.DefaultZone)
	if err != nil {
		return fmt.Errorf("the bill's date must look like 2006-01-31: %w", err)
	}
	rows, err := s.wx.TradeBill(ctx, date)
	if err != nil && wechat.ClassOf(err) != wechat.NotFound {
		return err
	}
	paid, err := paidBetween(ctx, s.db, from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return err
	}
	billed := map[string]bool{}
	for _, r := range rows {
		if r.OutRefundNo != "" {
			if err := s.auditBilledRefund(ctx, r, report); err != nil {
				return err
			}
			continue
		}
		billed[r.OutTradeNo] = true
		p, ok, err := findByNumber(ctx, s.db, r.OutTradeNo)
		switch {
		case err != nil:
			return err
		case !ok:
			report(fmt.Sprintf("账单 %s 有支付 %s（%s），系统里没有", date, r.OutTradeNo, r.PaidFen.Yuan()))
		case p.TransactionID == nil || *p.TransactionID != r.TransactionID:
			report(fmt.Sprintf("支付 %s：账单的微信单号是 %s，系统里不同", r.OutTradeNo, r.TransactionID))
		case money.Fen(p.PaidFen) != r.PaidFen:
			report(fmt.Sprintf("支付 %s：账单是 %s，系统是 %s", r.OutTradeNo, r.PaidFen.Yuan(), money.Fen(p.PaidFen).Yuan()))
		}
	}
	for _, p := range paid {
		if !billed[p.OutTradeNo] {
			report(fmt.Sprintf("支付 %s（%s）在系统里已付，%s 的账单里没有", p.OutTradeNo, money.Fen(p.PaidFen).Yuan(), date))
		}
	}
	return nil
}

func (s *Service) auditBilledRefund(ctx context.Context, r wechat.BillRow, report func(string)) error {
	amount, ok, err := refundAmount(ctx, s.db, r.OutRefundNo)
	switch {
	case err != nil:
		return err
	case !ok:
		report(fmt.Sprintf("账单有退款 %s（%s），系统里没有", r.OutRefundNo, r.RefundFen.Yuan()))
	case amount != r.RefundFen:
		report(fmt.Sprintf("退款 %s：账单是 %s，系统是 %s", r.OutRefundNo, r.RefundFen.Yuan(), amount.Yuan()))
	}
	return nil
}
