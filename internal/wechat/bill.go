package wechat

import (
	"context"
	"crypto/sha1" //nolint:gosec // WeChat Pay's checksum of the file; not a signature
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/money"
)

// BillRow is one line of a day's trade bill: a payment, or a refund when OutRefundNo is set.
type BillRow struct {
	At            time.Time
	AppID, MchID  string
	TransactionID string
	OutTradeNo    string
	OpenID        string
	TradeType     string
	State         string // SUCCESS, REFUND
	PaidFen       money.Fen
	RefundID      string
	OutRefundNo   string
	RefundFen     money.Fen
	RefundState   string
}

// TradeBill downloads the trade bill of a Chinese date "2006-01-02"; it is there from 10:00 on the next day. Errors:
// NotFound (nothing was traded that day, or too early), Unavailable (still being made; checksum wrong), Rejected.
func (c *Client) TradeBill(ctx context.Context, date string) (rows []BillRow, err error) {
	err = c.withPay(ctx, "trade bill", func(ctx context.Context, p *payClients) error {
		r, err := p.signed.Get(ctx, "https://"+hostPay+"/v3/bill/tradebill?"+url.Values{"bill_date": {date}, "bill_type": {"ALL"}}.Encode())
		if err != nil {
			return err
		}
		var offer struct {
			HashType    string `json:"hash_type"`
			HashValue   string `json:"hash_value"`
			DownloadURL string `json:"download_url"`
		}
		body, err := readClose(r.Response.Body)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, &offer); err != nil || offer.HashType != "SHA1" {
			return fmt.Errorf("unreadable offer of a bill (%q)", offer.HashType)
		}
		f, err := p.unsigned.Get(ctx, offer.DownloadURL)
		if err != nil {
			return err
		}
		file, err := readClose(f.Response.Body)
		if err != nil {
			return err
		}
		if sum := sha1.Sum(file); !strings.EqualFold(hex.EncodeToString(sum[:]), offer.HashValue) { //nolint:gosec // as above
			return errors.New("the bill's checksum is wrong")
		}
		rows, err = parseBill(string(file))
		return err
	})
	return rows, err
}

func readClose(b io.ReadCloser) ([]byte, error) {
	defer func() { _ = b.Close() }()
	return io.ReadAll(b)
}

// parseBill reads columns by the names in the header row. Rows start every field with a backtick; the first line that
// does not is the header of the summary, where the rows end. Amounts are in yuan.
func parseBill(file string) ([]BillRow, error) {
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(file, "\ufeff"), "\r\n", "\n"), "\n")
	col, columns := map[string]int{}, strings.Split(lines[0], ",")
	for i, name := range columns {
		col[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"交易时间", "微信订单号", "商户订单号", "交易状态", "商户退款单号", "退款金额", "订单金额"} {
		if _, ok := col[name]; !ok {
			return nil, fmt.Errorf("the bill has no column %s", name)
		}
	}
	var rows []BillRow
	for _, line := range lines[1:] {
		rest, ok := strings.CutPrefix(line, "`")
		if !ok {
			break
		}
		field := strings.Split(rest, ",`")
		if len(field) != len(columns) {
			return nil, fmt.Errorf("a row of the bill has %d fields, want %d", len(field), len(columns))
		}
		get := func(name string) string {
			if i, ok := col[name]; ok {
				return strings.TrimSpace(field[i])
			}
			return ""
		}
		r := BillRow{AppID: get("公众账号ID"), MchID: get("商户号"), TransactionID: get("微信订单号"), OutTradeNo: get("商户订单号"), OpenID: get("用户标识"),
			TradeType: get("交易类型"), State: get("交易状态"), RefundID: none(get("微信退款单号")), OutRefundNo: none(get("商户退款单号")), RefundState: get("退款状态")}
		var err1, err2, err3 error
		r.At, err1 = time.ParseInLocation("2006-01-02 15:04:05", get("交易时间"), china)
		r.PaidFen, err2 = money.Parse(get("订单金额"))
		r.RefundFen, err3 = money.Parse(get("退款金额"))
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, fmt.Errorf("a row of the bill is unreadable: %w", err)
		}
		r.At = r.At.UTC()
		rows = append(rows, r)
	}
	return rows, nil
}

// none turns the bill's "0" for "no number" into "".
func none(s string) string {
	if s == "0" {
		return ""
	}
	return s
}
