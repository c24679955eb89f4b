package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type holidayRow struct {
	ID         int64  `db:"id"`
	Name       string `db:"name"`
	Day        string `db:"biz_day"`
	Yearly     bool   `db:"yearly"`
	Words      string `db:"words"`
	Greet      bool   `db:"greet"`
	TierIDs    string `db:"tier_ids"`
	TemplateID int64  `db:"template_id"`
	Points     int    `db:"points"`
	Deleted    bool   `db:"deleted"`
	CreatedAt  int64  `db:"created_at"`
	UpdatedAt  int64  `db:"updated_at"`
}

// readHolidays reads the holidays with what their last run did.
func readHolidays(ctx context.Context, r db.Reader) ([]Holiday, error) {
	var rows []holidayRow
	if err := r.Select(ctx, &rows, `SELECT id, name, biz_day, yearly, words, greet, tier_ids, template_id, points, deleted, created_at, updated_at FROM outreach_holidays WHERE deleted = ? ORDER BY biz_day, id`, false); err != nil {
		return nil, err
	}
	var runs []runRow
	if err := r.Select(ctx, &runs, `SELECT holiday_id, biz_day, after_id, greeted, gifted, done_at FROM outreach_runs ORDER BY holiday_id, biz_day`); err != nil {
		return nil, err
	}
	last := map[int64]runRow{}
	for _, x := range runs {
		last[x.HolidayID] = x
	}
	out := make([]Holiday, 0, len(rows))
	for _, x := range rows {
		h := Holiday{ID: x.ID, Name: x.Name, Day: x.Day, Yearly: x.Yearly, Words: x.Words, Greet: x.Greet, TemplateID: x.TemplateID, Points: x.Points, Greeted: last[x.ID].Greeted, Gifted: last[x.ID].Gifted}
		if err := json.Unmarshal([]byte(x.TierIDs), &h.TierIDs); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func saveHoliday(ctx context.Context, tx *db.Tx, h Holiday, fresh bool) error {
	tiers, err := json.Marshal(h.TierIDs)
	if err != nil {
		return err
	}
	if fresh {
		return tx.Insert(ctx, "outreach_holidays", holidayRow{h.ID, h.Name, h.Day, h.Yearly, h.Words, h.Greet, string(tiers), h.TemplateID, h.Points, false, tx.Millis(), tx.Millis()})
	}
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE outreach_holidays SET name = ?, biz_day = ?, yearly = ?, words = ?, greet = ?, tier_ids = ?, template_id = ?, points = ?, updated_at = ?
		WHERE id = ? AND deleted = ?`, h.Name, h.Day, h.Yearly, h.Words, h.Greet, string(tiers), h.TemplateID, h.Points, tx.Millis(), h.ID, false)
}

func dropHoliday(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE outreach_holidays SET deleted = ?, updated_at = ? WHERE id = ? AND deleted = ?`, true, tx.Millis(), id, false)
}

// runRow is how far a holiday's date is.
type runRow struct {
	HolidayID int64  `db:"holiday_id"`
	Day       string `db:"biz_day"`
	After     int64  `db:"after_id"`
	Greeted   int    `db:"greeted"`
	Gifted    int    `db:"gifted"`
	DoneAt    int64  `db:"done_at"`
}

func readRun(ctx context.Context, r db.Reader, holidayID int64, day string) (x runRow, err error) {
	err = r.Get(ctx, &x, `SELECT holiday_id, biz_day, after_id, greeted, gifted, done_at FROM outreach_runs WHERE holiday_id = ? AND biz_day = ?`, holidayID, day)
	if errors.Is(err, db.ErrNoRows) {
		return runRow{HolidayID: holidayID, Day: day}, nil
	}
	return x, err
}

// saveRun moves a run on from where it was read. Fault: errElsewhere.
func saveRun(ctx context.Context, tx *db.Tx, x, from runRow) error {
	if from.After == 0 {
		if err := tx.Insert(ctx, "outreach_runs", x); errors.Is(err, db.ErrDuplicate) {
			return errElsewhere
		} else if err != nil {
			return err
		}
		return nil
	}
	return tx.ExecOne(ctx, errElsewhere, `UPDATE outreach_runs SET after_id = ?, greeted = ?, gifted = ?, done_at = ? WHERE holiday_id = ? AND biz_day = ? AND after_id = ? AND done_at = 0`,
		x.After, x.Greeted, x.Gifted, x.DoneAt, x.HolidayID, x.Day, from.After)
}

type campaignRow struct {
	ID         int64  `db:"id"`
	Name       string `db:"name"`
	Filter     string `db:"filter_doc"`
	TemplateID string `db:"template_id"`
	Sign       string `db:"sign"`
	Body       string `db:"body"`
	Layout     string `db:"layout"`
	State      string `db:"state"`
	Reason     string `db:"reason"`
	Found      int    `db:"found"`
	Promised   int    `db:"promised"`
	Skipped    int    `db:"skipped"`
	After      int64  `db:"after_id"`
	Runs       int    `db:"runs"`
	Segments   int    `db:"segments"`
	PriceLi    int    `db:"price_li"`
	StaffID    int64  `db:"staff_id"`
	StaffName  string `db:"staff_name"`
	CreatedAt  int64  `db:"created_at"`
	StartedAt  int64  `db:"started_at"`
	DoneAt     int64  `db:"done_at"`
}

const campaignColumns = `id, name, filter_doc, template_id, sign, body, layout, state, reason, found, promised, skipped, after_id, runs, segments, price_li, staff_id, staff_name, created_at,
	started_at, done_at`

func (x campaignRow) campaign() (Campaign, error) {
	c := Campaign{ID: x.ID, Name: x.Name, Template: x.TemplateID, Sign: x.Sign, Body: x.Body, State: x.State, Reason: x.Reason, Found: x.Found, Promised: x.Promised, Skipped: x.Skipped,
		After: x.After, Runs: x.Runs, Segments: x.Segments, PriceLi: x.PriceLi, StaffName: x.StaffName, CreatedAt: clock.FromMillis(x.CreatedAt), StartedAt: clock.Maybe(x.StartedAt), DoneAt: clock.Maybe(x.DoneAt)}
	return c, errors.Join(json.Unmarshal([]byte(x.Filter), &c.Filter), json.Unmarshal([]byte(x.Layout), &c.Fields))
}

func (c Campaign) texts() (filter, layout string, err error) {
	f, err := json.Marshal(c.Filter)
	l, err2 := json.Marshal(c.Fields)
	return string(f), string(l), errors.Join(err, err2)
}

func insertCampaign(ctx context.Context, tx *db.Tx, c Campaign, staffID int64) error {
	filter, layout, err := c.texts()
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "outreach_campaigns", campaignRow{ID: c.ID, Name: c.Name, Filter: filter, TemplateID: c.Template, Sign: c.Sign, Body: c.Body, Layout: layout, State: Draft,
		StaffID: staffID, StaffName: c.StaffName, CreatedAt: tx.Millis()})
}

func saveDraft(ctx context.Context, tx *db.Tx, c Campaign) error {
	filter, layout, err := c.texts()
	if err != nil {
		return err
	}
	return tx.ExecOne(ctx, ErrState, `UPDATE outreach_campaigns SET name = ?, filter_doc = ?, template_id = ?, sign = ?, body = ?, layout = ? WHERE id = ? AND state = ?`,
		c.Name, filter, c.Template, c.Sign, c.Body, layout, c.ID, c.State)
}

func campaignByID(ctx context.Context, r db.Reader, id int64, lock string) (Campaign, error) {
	var x campaignRow
	err := r.Get(ctx, &x, `SELECT `+campaignColumns+` FROM outreach_campaigns WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Campaign{}, fault.ErrNotFound
	}
	if err != nil {
		return Campaign{}, err
	}
	return x.campaign()
}

func campaignsBefore(ctx context.Context, r db.Reader, before int64, limit int) ([]Campaign, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	var rows []campaignRow
	if err := r.Select(ctx, &rows, `SELECT `+campaignColumns+` FROM outreach_campaigns WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit); err != nil {
		return nil, err
	}
	out := make([]Campaign, 0, len(rows))
	for _, x := range rows {
		c, err := x.campaign()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// startCampaign lets a campaign run; its row is locked. Fault: ErrState.
func startCampaign(ctx context.Context, tx *db.Tx, c Campaign, segments, priceLi int) error {
	started := clock.MaybeMillis(c.StartedAt)
	if started == 0 {
		started = tx.Millis()
	}
	return tx.ExecOne(ctx, ErrState, `UPDATE outreach_campaigns SET state = ?, reason = '', runs = runs + 1, segments = ?, price_li = ?, started_at = ? WHERE id = ? AND state = ?`,
		Running, segments, priceLi, started, c.ID, c.State)
}

func moveCampaign(ctx context.Context, tx *db.Tx, c Campaign, to, reason string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE outreach_campaigns SET state = ?, reason = ? WHERE id = ? AND state = ?`, to, db.Clip(reason, 200), c.ID, c.State)
}

// advanceCampaign writes how far a campaign is, when it still runs and is where it was read. Fault: fault.ErrBusyWrite.
func advanceCampaign(ctx context.Context, tx *db.Tx, c Campaign, from int64) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE outreach_campaigns SET state = ?, found = ?, promised = ?, skipped = ?, after_id = ?, done_at = ? WHERE id = ? AND state = ? AND after_id = ?`,
		c.State, c.Found, c.Promised, c.Skipped, c.After, clock.MaybeMillis(c.DoneAt), c.ID, Running, from)
}
