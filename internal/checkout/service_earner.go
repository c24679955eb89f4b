package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// earners says whether somebody else's account may earn by a bill (B09). Fault: ErrEarner where the shop does not allow what is asked.
func (s *Service) earners(ctx context.Context, f *frame) (err error) {
	if f.EarnerID == f.MemberID {
		f.EarnerID = 0 // the payer's own points
	}
	if s.assets.Points != nil {
		if f.forOthers, err = s.settings.Bool(ctx, setting.PointsForOthers); err != nil {
			return err
		}
	}
	if f.EarnerID != 0 && !f.forOthers {
		return ErrEarner.Say("门店没有开放替朋友积分，请按付款人自己的账户结算").On("earnerId", "没有开放")
	}
	return nil
}

// earnerName is what the account that earns is called, masked; "" for none.
func (s *Service) earnerName(ctx context.Context, id int64) (string, error) {
	if id == 0 {
		return "", nil
	}
	names, err := s.members.MaskedNames(ctx, []int64{id})
	return names[id], err
}

// namedTx locks the payer and the account that a bill names for its points, in ascending order, and says whether that account may have them: it is good,
// and has not had so many from others on this day. What a group pays brings no points to anybody. Fault: ErrEarner.
func (s *Service) namedTx(ctx context.Context, tx *db.Tx, f frame, byGroup money.Fen) error {
	if f.EarnerID == 0 {
		return nil
	}
	if byGroup > 0 {
		return ErrEarner.Say("家庭或企业账户付的单不产生积分").On("earnerId", "没有积分")
	}
	label := ""
	for _, id := range ascending([]int64{f.MemberID, f.EarnerID}) {
		if id == 0 {
			continue
		}
		st, err := s.members.StandingTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if id != f.EarnerID {
			continue
		}
		if st.Usable() != nil {
			return ErrEarner.Say("这位会员的账户现在不能积分，请换一位").On("earnerId", "请换一位")
		}
		label = member.MaskCardNo(st.CardNo)
	}
	most, err := s.settings.Int(ctx, setting.PointsOthersDaily)
	if err != nil {
		return err
	}
	had, err := earnedFromOthers(ctx, tx, f.EarnerID, bizday.Of(tx.Now, f.store.Timezone))
	if err != nil {
		return err
	}
	if had >= int(most) {
		return ErrEarner.Say("这位会员今天已经收了 %d 单朋友的积分，明天再来", had).On("earnerId", "今天已满")
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "order.earner", SubjectKind: "member", SubjectID: f.EarnerID, SubjectLabel: label, StoreID: f.StoreID,
		Detail: map[string]any{"memberId": f.MemberID}})
}

// stillEarnsTx locks the payer and the account that a bill names when it is paid at last; who cannot have the points any more gets none.
func (s *Service) stillEarnsTx(ctx context.Context, tx *db.Tx, o *Order) error {
	if o.EarnerID == 0 {
		return nil
	}
	for _, id := range ascending([]int64{o.MemberID, o.EarnerID}) {
		if id == 0 {
			continue
		}
		st, err := s.members.StandingTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if id == o.EarnerID {
			o.earnsNothing = st.Usable() != nil
		}
	}
	return nil
}
