package wxsandbox

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const tradeHeader = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
	"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"

const tradeSummary = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"

const fundHeader = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"

const fundSummary = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"

// feeBasisPoints is the usual rate of 0.60 %.
const feeBasisPoints = 60

func (s *Sandbox) tradeBill(r *http.Request, _ []byte) (any, *payError) {
	kind := cmp.Or(r.URL.Query().Get("bill_type"), "ALL")
	if !slices.Contains([]string{"ALL", "SUCCESS", "REFUND"}, kind) {
		return nil, paramError("/query/bill_type", "账单类型", "枚举值校验失败")
	}
	return s.offerBill(r, "trade-"+kind)
}

func (s *Sandbox) fundFlowBill(r *http.Request, _ []byte) (any, *payError) {
	if t := r.URL.Query().Get("account_type"); t != "" && t != "BASIC" {
		return nil, paramError("/query/account_type", "资金账户类型", "枚举值校验失败，仅模拟BASIC")
	}
	return s.offerBill(r, "fund")
}

// offerBill checks the day and answers with the address and the hash of the file.
func (s *Sandbox) offerBill(r *http.Request, kind string) (any, *payError) {
	q := r.URL.Query()
	day, err := time.ParseInLocation("2006-01-02", q.Get("bill_date"), cst)
	if err != nil {
		return nil, paramError("/query/bill_date", "账单日期", "日期格式校验失败，须为yyyy-MM-dd")
	}
	if t := q.Get("tar_type"); t != "" && t != "GZIP" {
		return nil, paramError("/query/tar_type", "压缩类型", "枚举值校验失败")
	}
	now := s.o.Now().In(cst)
	if now.AddDate(0, -3, 0).After(day) {
		return nil, refuse("INVALID_REQUEST", "仅支持下载三个月以内的账单")
	}
	ready := day.AddDate(0, 0, 1).Add(10 * time.Hour) // from 10:00 on the next day
	switch {
	case s.o.Pay.BillsImmediate && !day.After(now):
	case !now.Before(ready):
	case now.Before(day.AddDate(0, 0, 1)):
		return nil, refuse("NO_STATEMENT_EXIST", "账单文件不存在，账单次日10点后生成")
	default:
		return nil, refuse("STATEMENT_CREATING", "账单生成中，请次日10点后再试")
	}
	file := s.billFile(kind, day)
	if file == nil {
		return nil, refuse("NO_STATEMENT_EXIST", "账单文件不存在，该日无交易")
	}
	sum := sha1.Sum(file)
	// The hash is of the unpacked file, also when it is served packed. What was offered is what is served, whatever happens meanwhile.
	name := s.billMark(kind, day, q.Get("tar_type")) + hex.EncodeToString(sum[:4])
	s.bills[name] = file
	token := url.Values{"token": {name + "." + q.Get("tar_type")}}
	return map[string]string{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": "https://api.mch.weixin.qq.com/v3/billdownload/file?" + token.Encode(),
	}, nil
}

func (s *Sandbox) billMark(kind string, day time.Time, tar string) string {
	return markerSum(s.cred.APIv3Key + kind + day.Format("20060102") + tar)[:32]
}

// downloadBill verifies the request but answers unsigned: the file is guarded by its hash alone.
func (s *Sandbox) downloadBill(w http.ResponseWriter, r *http.Request) {
	if e := s.verify(r, nil); e != nil {
		writeJSON(w, e.Status, e)
		return
	}
	name, tar, _ := strings.Cut(r.URL.Query().Get("token"), ".")
	s.mu.Lock()
	file := s.bills[name]
	s.mu.Unlock()
	if file == nil {
		e := refuse("PARAM_ERROR", "token错误或已失效")
		writeJSON(w, e.Status, e)
		return
	}
	if tar == "GZIP" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(file) // memory
		_ = z.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(b.Bytes())
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(file)
}

// billEntry is one line of a day: a payment, or a refund of one.
type billEntry struct {
	at     time.Time
	order  *Order
	refund *Refund
}

func (s *Sandbox) billDay(day time.Time) []billEntry {
	end := day.AddDate(0, 0, 1)
	in := func(t time.Time) bool { return !t.IsZero() && !t.Before(day) && t.Before(end) }
	var out []billEntry
	for _, o := range s.st.Orders {
		if in(o.PaidAt) {
			out = append(out, billEntry{at: o.PaidAt, order: o})
		}
	}
	for _, f := range s.st.Refunds {
		if o := s.st.Orders[f.OutTradeNo]; o != nil && in(f.CreatedAt) && f.Status != RefundClosed {
			out = append(out, billEntry{at: f.CreatedAt, order: o, refund: f})
		}
	}
	slices.SortFunc(out, func(a, b billEntry) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id(), b.id())) })
	return out
}

func (e billEntry) id() string {
	if e.refund != nil {
		return e.refund.RefundID
	}
	return e.order.TransactionID
}

func (s *Sandbox) billFile(kind string, day time.Time) []byte {
	entries := s.billDay(day)
	if kind == "fund" {
		return s.fundFile(entries)
	}
	want := strings.TrimPrefix(kind, "trade-")
	entries = slices.DeleteFunc(entries, func(e billEntry) bool {
		return (want == "SUCCESS" && e.refund != nil) || (want == "REFUND" && e.refund == nil)
	})
	if len(entries) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("\ufeff" + tradeHeader + "\r\n") // the real file starts with a byte order mark
	var settled, refunded, fees, total int64
	for _, e := range entries {
		o := e.order
		row := []string{e.at.In(cst).Format("2006-01-02 15:04:05"), o.AppID, s.o.Pay.MchID, "0", "", o.TransactionID, o.OutTradeNo, o.PayerOpenID,
			o.TradeType, "SUCCESS", "OTHERS", "CNY", yuan(o.PaidFen), "0.00", "0", "0", "0.00", "0.00", "", "", o.Description, o.Attach,
			fee(o.PaidFen), "0.60%", yuan(o.PaidFen), "0.00", ""}
		if f := e.refund; f != nil {
			row[9], row[12], row[14], row[15], row[16] = "REFUND", "0.00", f.RefundID, f.OutRefundNo, yuan(f.RefundFen)
			row[18], row[19], row[22], row[24], row[25] = "ORIGINAL", f.Status, "-"+fee(f.RefundFen), "0.00", yuan(f.RefundFen)
			refunded += f.RefundFen
			fees -= feeOf(f.RefundFen)
		} else {
			settled += o.PaidFen
			total += o.PaidFen
			fees += feeOf(o.PaidFen)
		}
		writeRow(&b, row)
	}
	b.WriteString(tradeSummary + "\r\n")
	writeRow(&b, []string{strconv.Itoa(len(entries)), yuan(settled), yuan(refunded), "0.00", feeText(fees), yuan(total), yuan(refunded)})
	return []byte(b.String())
}

func (s *Sandbox) fundFile(entries []billEntry) []byte {
	if len(entries) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("\ufeff" + fundHeader + "\r\n")
	var in, out, balance int64
	nIn, nOut := 0, 0
	for _, e := range entries {
		name, kind, dir, fen := "交易", "交易", "收入", e.order.PaidFen
		if e.refund != nil {
			name, kind, dir, fen = "退款", "退款", "支出", e.refund.RefundFen
			out += fen
			nOut++
			balance -= fen
		} else {
			in += fen
			nIn++
			balance += fen
		}
		writeRow(&b, []string{e.at.In(cst).Format("2006-01-02 15:04:05"), e.id(), e.id(), name, kind, dir, yuan(fen), yuan(balance), "system", "", e.order.OutTradeNo})
	}
	b.WriteString(fundSummary + "\r\n")
	writeRow(&b, []string{strconv.Itoa(len(entries)), strconv.Itoa(nIn), yuan(in), strconv.Itoa(nOut), yuan(out)})
	return []byte(b.String())
}

// writeRow starts every field with a backtick, as the real bills do to stop spreadsheets from converting them; a comma
// inside a field would shift the columns, and WeChat drops it too.
func writeRow(b *strings.Builder, row []string) {
	for i, f := range row {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('`')
		b.WriteString(strings.NewReplacer(",", "，", "\r", " ", "\n", " ", "`", "'").Replace(f))
	}
	b.WriteString("\r\n")
}

func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// feeOf rounds half up, in fen.
func feeOf(fen int64) int64 { return (fen*feeBasisPoints + 5000) / 10000 }

func fee(fen int64) string { return feeText(feeOf(fen)) }

// feeText has five decimals, as in the real bill.
func feeText(fen int64) string { return yuan(fen) + "000" }
