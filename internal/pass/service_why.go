package pass

import (
	"cmp"
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/pricing"
)

// WhyNot says of lines that are asked for by name, and that Covers does not list, why not. Of another member's it shows nothing else, and what does
// not exist is left out.
func (s *Service) WhyNot(ctx context.Context, r db.Reader, a Ask, lines []int64) (out []pricing.Cover, err error) {
	for _, line := range lines {
		id, err := passOfLine(ctx, r, line)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := passByID(ctx, r, id, "", "")
		if err != nil {
			return nil, err
		}
		c := pricing.Cover{Kind: pricing.CoverPass, ID: line, Title: "次卡", Why: "不属于这位会员，请重新选择"}
		if p.MemberID == a.MemberID {
			c.PassID, c.Title, c.Why = p.ID, p.Name, cmp.Or(p.why(a.StoreID, a.Plate, a.At), "现在不能使用")
		}
		out = append(out, c)
	}
	return out, nil
}
