package group

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
)

// allow decides whether the place may be charged: spent is what the driver has used this month already, zone the store's. It is pure
// and does not look at approvals. Faults: ErrPlaceOver, ErrPlate, ErrService, ErrHours, ErrOrderCap, ErrMonthCap.
func (p Place) allow(a Ask, spent money.Fen, zone string) error {
	r := p.Rules
	if p.over(bizday.Of(a.At, zone)) {
		return ErrPlaceOver.Say("使用期限到 %s 为止，请付款人延期", p.Until)
	}
	if len(r.Plates) > 0 && !slices.Contains(r.Plates, a.Plate) {
		return ErrPlate.On("plate", "允许的车牌："+strings.Join(r.Plates, "、"))
	}
	if len(r.ServiceIDs) > 0 {
		if a.Goods {
			return ErrService.Say("这个账户只付指定的服务，不付商品，请分开结算")
		}
		for _, id := range a.ServiceIDs {
			if !slices.Contains(r.ServiceIDs, id) {
				return ErrService
			}
		}
	}
	if !r.open(a.At, zone) {
		return ErrHours.Say("允许使用的时间是%s，现在不在其中", r.when())
	}
	if r.CapPerOrderFen > 0 && a.AmountFen > r.CapPerOrderFen {
		return ErrOrderCap.Say("单次最多 %s", r.CapPerOrderFen.Yuan()).Give(map[string]money.Fen{"leftFen": r.CapPerOrderFen})
	}
	if left := r.CapPerMonthFen - spent; r.CapPerMonthFen > 0 && a.AmountFen > left {
		return ErrMonthCap.Say("本月限额 %s，还剩 %s", r.CapPerMonthFen.Yuan(), max(left, 0).Yuan()).Give(map[string]money.Fen{"leftFen": max(left, 0)})
	}
	return nil
}

// over says whether the place has ended by day.
func (p Place) over(day string) bool { return p.Until != "" && day > p.Until }

// asks says whether the payer must say yes to an amount.
func (r Rules) asks(amount money.Fen) bool {
	return r.ApprovalOverFen != nil && amount > *r.ApprovalOverFen
}

// room is how much of an amount the caps leave.
func (r Rules) room(amount, spent money.Fen) money.Fen {
	if r.CapPerOrderFen > 0 {
		amount = min(amount, r.CapPerOrderFen)
	}
	if r.CapPerMonthFen > 0 {
		amount = min(amount, r.CapPerMonthFen-spent)
	}
	return max(amount, 0)
}

// open says whether the rules' weekdays and hours hold at an instant. Hours past midnight belong to the weekday on which they began.
func (r Rules) open(at time.Time, zone string) bool {
	local := at.In(bizday.Location(zone))
	minute, day := local.Hour()*60+local.Minute(), local.Weekday()
	from, to := r.FromMinute, r.ToMinute
	if from == 0 && to == 0 {
		to = 1440
	}
	switch {
	case from < to:
		return minute >= from && minute < to && r.weekday(day)
	case minute >= from:
		return r.weekday(day)
	case minute < to:
		return r.weekday((day + 6) % 7)
	}
	return false
}

func (r Rules) weekday(d time.Weekday) bool {
	return len(r.Weekdays) == 0 || slices.Contains(r.Weekdays, int(d))
}

// when writes weekdays and hours as people say them.
func (r Rules) when() string {
	days := "每天"
	if len(r.Weekdays) > 0 {
		var names []string
		for _, d := range r.Weekdays {
			names = append(names, string([]rune("日一二三四五六")[d]))
		}
		days = "周" + strings.Join(names, "、")
	}
	if r.FromMinute == 0 && (r.ToMinute == 0 || r.ToMinute == 1440) {
		return days
	}
	next := ""
	if r.ToMinute <= r.FromMinute {
		next = "次日"
	}
	return fmt.Sprintf("%s %02d:%02d 至%s %02d:%02d", days, r.FromMinute/60, r.FromMinute%60, next, r.ToMinute/60, r.ToMinute%60)
}

// clean brings a place into its stored form. today is the shop's date; known says which services exist. Fault: fault.ErrInvalid.
func (p Place) clean(kind, today string, known func(id int64) bool) (Place, error) {
	var f fault.Complaints
	var complaint string
	p.Note, complaint = cleanText(p.Note, 0, 40)
	f.Bad("note", complaint)
	p.Until = strings.TrimSpace(p.Until)
	switch {
	case p.CardKind == CardDriver:
	case kind != Corporate:
		f.Bad("cardKind", "VIP 卡和临时卡只用于企业账户")
	case p.CardKind == CardVIP && p.Until == "":
		p.Until = bizday.Add(today, vipDays)
	case p.CardKind == CardTemporary && p.Until == "":
		f.Bad("until", "临时卡请填写截止日期")
	}
	if p.Until != "" {
		last := bizday.Add(today, vipMaxDays)
		if p.CardKind == CardTemporary {
			last = bizday.Add(today, temporaryDays)
		}
		switch {
		case !bizday.Valid(p.Until):
			f.Bad("until", "应为 2026-01-31 形式的日期")
		case p.Until < today:
			f.Bad("until", "不能早于今天")
		case p.Until > last:
			f.Bad("until", "最晚到 "+last)
		}
	}
	if p.TierID != 0 && (kind != Corporate || p.CardKind == CardDriver) {
		f.Bad("tierId", "等级只随企业 VIP 卡和临时卡给；给全公司请在账户上设置")
	}
	p.Rules = p.Rules.clean(&f, known)
	return p, f.Err()
}

func (r Rules) clean(f *fault.Complaints, known func(id int64) bool) Rules {
	plates := []string{}
	for i, text := range r.Plates {
		plate, _, complaint := member.ParsePlate(text)
		f.Bad(fmt.Sprintf("rules.plates[%d]", i), complaint)
		if !slices.Contains(plates, plate) {
			plates = append(plates, plate)
		}
	}
	r.Plates = plates
	r.ServiceIDs = slices.Compact(slices.Sorted(slices.Values(r.ServiceIDs)))
	for _, id := range r.ServiceIDs {
		if !known(id) {
			f.Bad("rules.serviceIds", "有项目不存在，请重新选择")
			break
		}
	}
	r.Weekdays = slices.Compact(slices.Sorted(slices.Values(r.Weekdays)))
	for _, d := range r.Weekdays {
		if d < 0 || d > 6 {
			f.Bad("rules.weekdays", "星期应为 0（周日）到 6（周六）")
			break
		}
	}
	if len(r.Weekdays) == 7 {
		r.Weekdays = nil
	}
	if len(r.Plates) > maxPlates {
		f.Bad("rules.plates", "最多 20 个车牌")
	}
	if len(r.ServiceIDs) > maxServices {
		f.Bad("rules.serviceIds", "最多 50 个项目")
	}
	if r.FromMinute < 0 || r.FromMinute > 1439 || r.ToMinute < 0 || r.ToMinute > 1440 || (r.FromMinute == r.ToMinute && r.FromMinute != 0) {
		f.Bad("rules.fromMinute", "请填写正确的时间段")
	}
	for field, n := range map[string]money.Fen{"rules.capPerOrderFen": r.CapPerOrderFen, "rules.capPerMonthFen": r.CapPerMonthFen} {
		if n < 0 || n > MaxCapFen {
			f.Bad(field, "请填 0 到 "+MaxCapFen.Yuan()+" 之间，0 为不限")
		}
	}
	if r.CapPerMonthFen > 0 && r.CapPerOrderFen > r.CapPerMonthFen {
		f.Bad("rules.capPerOrderFen", "不能高于每月限额")
	}
	if r.ApprovalOverFen != nil && (*r.ApprovalOverFen < 0 || *r.ApprovalOverFen > MaxCapFen) {
		f.Bad("rules.approvalOverFen", "请填 0 到 "+MaxCapFen.Yuan()+" 之间")
	}
	return r
}

// cleanText trims a text to one line between lo and hi characters.
func cleanText(s string, lo, hi int) (text, complaint string) {
	text = strings.TrimSpace(s)
	n := utf8.RuneCountInString(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", "不能含有换行或控制字符"
	case n < lo && n == 0:
		return "", "必填"
	case n < lo:
		return "", fmt.Sprintf("至少 %d 个字", lo)
	case n > hi:
		return "", fmt.Sprintf("最多 %d 个字", hi)
	}
	return text, ""
}

const creditLetters = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// CreditCode brings a unified social credit code (GB 32100) into its plain form and checks its check digit; complaint is "" when it is good.
func CreditCode(s string) (code, complaint string) {
	code = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(code) != 18 {
		return "", "应为 18 位统一社会信用代码"
	}
	sum, weight := 0, 1
	for i := range 18 {
		v := strings.IndexByte(creditLetters, code[i])
		if v < 0 {
			return "", "含有不会出现的字符（没有字母 I、O、S、V、Z）"
		}
		if i >= 2 && i < 8 && v > 9 {
			return "", "第 3 至 8 位应为数字"
		}
		if i < 17 {
			sum += v * weight
			weight = weight * 3 % 31
			continue
		}
		if v != (31-sum%31)%31 {
			return "", "校验位不对，请核对营业执照"
		}
	}
	return code, ""
}
