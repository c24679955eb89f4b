package tier

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
)

type planRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	Kind      string `db:"plan_kind"`
	PriceFen  int64  `db:"price_fen"`
	Months    int    `db:"months"`
	TierID    int64  `db:"tier_id"`
	Rights    string `db:"rights"`
	Note      string `db:"note"`
	Image     string `db:"image"`
	OnSale    bool   `db:"on_sale"`
	Sort      int    `db:"sort_no"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
}

const planColumns = `id, name, plan_kind, price_fen, months, tier_id, rights, note, image, on_sale, sort_no, created_at, updated_at`

func (r planRow) plan() (Plan, error) {
	p := Plan{ID: r.ID, Name: r.Name, Kind: r.Kind, PriceFen: money.Fen(r.PriceFen), Months: r.Months, TierID: r.TierID, Note: r.Note, Image: r.Image, OnSale: r.OnSale, Sort: r.Sort}
	return p, json.Unmarshal([]byte(r.Rights), &p.Rights)
}

func (p Plan) row() (planRow, error) {
	if p.Rights == nil {
		p.Rights = []Right{}
	}
	b, err := json.Marshal(p.Rights)
	return planRow{ID: p.ID, Name: p.Name, Kind: p.Kind, PriceFen: int64(p.PriceFen), Months: p.Months, TierID: p.TierID, Rights: string(b), Note: p.Note,
		Image: p.Image, OnSale: p.OnSale, Sort: p.Sort}, err
}

func readPlans(ctx context.Context, r db.Reader) ([]Plan, error) {
	var rows []planRow
	if err := r.Select(ctx, &rows, `SELECT `+planColumns+` FROM tier_plans ORDER BY sort_no, id`); err != nil {
		return nil, err
	}
	out := make([]Plan, 0, len(rows))
	for _, x := range rows {
		p, err := x.plan()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// planByID reads a plan. Fault: fault.ErrNotFound.
func planByID(ctx context.Context, r db.Reader, id int64, lock string) (Plan, error) {
	var x planRow
	err := r.Get(ctx, &x, `SELECT `+planColumns+` FROM tier_plans WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Plan{}, fault.ErrNotFound
	}
	if err != nil {
		return Plan{}, err
	}
	return x.plan()
}

func insertPlan(ctx context.Context, tx *db.Tx, p Plan) error {
	x, err := p.row()
	if err != nil {
		return err
	}
	x.CreatedAt, x.UpdatedAt = tx.Millis(), tx.Millis()
	if err = tx.Insert(ctx, "tier_plans", x); errors.Is(err, db.ErrDuplicate) {
		return ErrPlanName.On("name", "名称已被使用")
	}
	return err
}

func updatePlan(ctx context.Context, tx *db.Tx, p Plan) error {
	x, err := p.row()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE tier_plans SET name = ?, plan_kind = ?, price_fen = ?, months = ?, tier_id = ?, rights = ?, note = ?, image = ?, on_sale = ?, sort_no = ?, updated_at = ?
		WHERE id = ?`, x.Name, x.Kind, x.PriceFen, x.Months, x.TierID, x.Rights, x.Note, x.Image, x.OnSale, x.Sort, tx.Millis(), x.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrPlanName.On("name", "名称已被使用")
	}
	return err
}

const membershipColumns = `id, member_id, plan_id, sale_id, snapshot, tier_id, price_fen, earned_fen, earn_at, store_id, starts_at, ends_at, warned, state, created_at, renew_on, renew_note, noticed_at, renews_id`

// paidTiers reads the tiers that running memberships grant to members.
func paidTiers(ctx context.Context, r db.Reader, members []int64) (map[int64][]Paid, error) {
	rows, err := selectIn[membershipRow](ctx, r, `SELECT `+membershipColumns+` FROM tier_memberships WHERE state = 'active' AND tier_id <> 0 AND member_id IN (?) ORDER BY id`, members)
	out := map[int64][]Paid{}
	for _, x := range rows {
		p, err := x.plan()
		if err != nil {
			return nil, err
		}
		out[x.MemberID] = append(out[x.MemberID], Paid{TierID: x.TierID, Title: p.Name, From: x.StartsAt, To: x.EndsAt})
	}
	return out, err
}

// runningOf reads the memberships of members that run at an instant.
func runningOf(ctx context.Context, r db.Reader, members []int64, now int64) (map[int64][]membershipRow, error) {
	rows, err := selectIn[membershipRow](ctx, r, runningMemberships, members, now, now)
	out := map[int64][]membershipRow{}
	for _, x := range rows {
		out[x.MemberID] = append(out[x.MemberID], x)
	}
	return out, err
}

const runningMemberships = `SELECT ` + membershipColumns + ` FROM tier_memberships WHERE state = 'active' AND starts_at <= ? AND ends_at > ? AND member_id IN (?) ORDER BY id`

// runningSoon is runningOf with the next db.Tx.Collect.
func runningSoon(tx *db.Tx, members []int64, rows *[]membershipRow) error {
	q, args, err := db.In(runningMemberships, tx.Millis(), tx.Millis(), members)
	if err == nil {
		tx.SelectSoon(rows, func() {}, q, args...)
	}
	return err
}

// anyMembership says whether any membership runs or will.
func anyMembership(ctx context.Context, r db.Reader) (bool, error) {
	var ids []int64
	err := r.Select(ctx, &ids, `SELECT id FROM tier_memberships WHERE state = 'active' LIMIT 1`)
	return len(ids) > 0, err
}

func membershipsOf(ctx context.Context, r db.Reader, memberID int64) (rows []membershipRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+membershipColumns+` FROM tier_memberships WHERE member_id = ? ORDER BY id DESC`, memberID)
	return rows, err
}

// membershipByID reads a membership. Fault: fault.ErrNotFound.
func membershipByID(ctx context.Context, r db.Reader, id int64, lock string) (m membershipRow, err error) {
	err = r.Get(ctx, &m, `SELECT `+membershipColumns+` FROM tier_memberships WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return m, err
}

// membershipsWhere are the due lists, each by an index of its own.
func membershipsWhere(ctx context.Context, r db.Reader, due string, now int64, limit int) (rows []membershipRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+membershipColumns+` FROM tier_memberships WHERE state = 'active' AND `+due+` LIMIT ?`, now, limit)
}

const (
	dueEarn = `earn_at <= ? ORDER BY earn_at, id`
	dueWarn = `warned = FALSE AND ends_at <= ? ORDER BY ends_at, id`
)

func setEarned(ctx context.Context, tx *db.Tx, m membershipRow, earned, next int64) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE tier_memberships SET earned_fen = ?, earn_at = ? WHERE id = ? AND earned_fen = ?`, earned, next, m.ID, m.EarnedFen)
}

// setMembershipState ends a running membership; one that was given back no longer follows itself, and another may follow what it followed.
func setMembershipState(ctx context.Context, tx *db.Tx, id int64, state string, endsAt int64) error {
	if state == MembershipRefunded {
		if err := setRenewal(ctx, tx, id, sale.Renewal{}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE tier_memberships SET renews_id = NULL WHERE id = ?`, id); err != nil {
			return err
		}
	}
	return tx.ExecOne(ctx, ErrEnded, `UPDATE tier_memberships SET state = ?, ends_at = ? WHERE id = ? AND state = 'active'`, state, endsAt, id)
}

// renewing are the memberships that follow themselves and end by an instant, in the order of their ids.
func renewing(ctx context.Context, r db.Reader, until, after int64, limit int) (rows []membershipRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+membershipColumns+` FROM tier_memberships WHERE renew_on = TRUE AND ends_at <= ? AND id > ? ORDER BY id LIMIT ?`, until, after, limit)
}

// lastOf is the membership of a plan that runs longest for a member.
func lastOf(rows []membershipRow, planID int64) (last membershipRow) {
	for _, m := range rows {
		if m.PlanID == planID && m.State == MembershipActive && m.EndsAt > last.EndsAt {
			last = m
		}
	}
	return last
}

func setRenewal(ctx context.Context, tx *db.Tx, id int64, r sale.Renewal) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE tier_memberships SET renew_on = ?, renew_note = ?, noticed_at = ? WHERE id = ?`, r.On, r.Note, clock.MaybeMillis(r.NoticedAt), id)
}

// unwarn lets the end be announced once more.
func unwarn(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE tier_memberships SET warned = FALSE WHERE id = ?`, id)
	return err
}

func setWarned(ctx context.Context, tx *db.Tx, id int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE tier_memberships SET warned = TRUE WHERE id = ? AND warned = FALSE`, id)
}

func setRightsUntil(ctx context.Context, tx *db.Tx, memberID, until int64) error {
	_, err := tx.Exec(ctx, `UPDATE tier_members SET rights_until = ?, version = version + 1 WHERE member_id = ?`, until, memberID)
	return err
}

// badMemberships are those that say more was earned than they cost, or that ended with something left.
func badMemberships(ctx context.Context, r db.Reader) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM tier_memberships WHERE earned_fen < 0 OR earned_fen > price_fen OR (state = 'ended' AND earned_fen <> price_fen) ORDER BY id LIMIT 1000`)
}
