package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type ruleRow struct {
	ID        int64  `db:"id"`
	Name      string `db:"name"`
	Trigger   string `db:"trigger_kind"`
	Terms     string `db:"terms"`
	Presents  string `db:"presents"`
	Active    bool   `db:"active"`
	Deleted   bool   `db:"deleted"`
	StartsAt  int64  `db:"starts_at"`
	EndsAt    int64  `db:"ends_at"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
}

const ruleColumns = `id, name, trigger_kind, terms, presents, active, deleted, starts_at, ends_at, created_at, updated_at`

func (x ruleRow) rule() (Rule, error) {
	r := Rule{ID: x.ID, Name: x.Name, Trigger: x.Trigger, Active: x.Active && !x.Deleted, StartsAt: clock.FromMillis(x.StartsAt), EndsAt: clock.Maybe(x.EndsAt), CreatedAt: clock.FromMillis(x.CreatedAt)}
	return r, errors.Join(json.Unmarshal([]byte(x.Terms), &r.Terms), json.Unmarshal([]byte(x.Presents), &r.Gift))
}

func (r Rule) row(now int64) (ruleRow, error) {
	terms, err := json.Marshal(r.Terms)
	gift, err2 := json.Marshal(r.Gift)
	return ruleRow{ID: r.ID, Name: r.Name, Trigger: r.Trigger, Terms: string(terms), Presents: string(gift), Active: r.Active, StartsAt: clock.MaybeMillis(r.StartsAt),
		EndsAt: clock.MaybeMillis(r.EndsAt), CreatedAt: clock.MaybeMillis(r.CreatedAt), UpdatedAt: now}, errors.Join(err, err2)
}

func readRules(ctx context.Context, r db.Reader) ([]Rule, error) {
	var rows []ruleRow
	if err := r.Select(ctx, &rows, `SELECT `+ruleColumns+` FROM campaign_rules WHERE deleted = ? ORDER BY id`, false); err != nil {
		return nil, err
	}
	out := make([]Rule, 0, len(rows))
	for _, x := range rows {
		v, err := x.rule()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// lockRule reads a rule that is not deleted under its lock. Fault: fault.ErrNotFound.
func lockRule(ctx context.Context, tx *db.Tx, id int64) (Rule, error) {
	var x ruleRow
	err := tx.Get(ctx, &x, `SELECT `+ruleColumns+` FROM campaign_rules WHERE id = ? AND deleted = ?`+tx.ForUpdate(), id, false)
	if errors.Is(err, db.ErrNoRows) {
		return Rule{}, fault.ErrNotFound
	}
	if err != nil {
		return Rule{}, err
	}
	return x.rule()
}

func insertRule(ctx context.Context, tx *db.Tx, r Rule) error {
	row, err := r.row(tx.Millis())
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "campaign_rules", row)
}

func updateRule(ctx context.Context, tx *db.Tx, r Rule, deleted bool) error {
	row, err := r.row(tx.Millis())
	if err != nil {
		return err
	}
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE campaign_rules SET name = ?, trigger_kind = ?, terms = ?, presents = ?, active = ?, deleted = ?, starts_at = ?, ends_at = ?, updated_at = ?
		WHERE id = ?`, row.Name, row.Trigger, row.Terms, row.Presents, row.Active, deleted, row.StartsAt, row.EndsAt, row.UpdatedAt, row.ID)
}

type giftRow struct {
	ID        int64  `db:"id"`
	MemberID  int64  `db:"member_id"`
	RuleID    int64  `db:"rule_id"`
	Source    string `db:"source"`
	RefID     int64  `db:"ref_id"`
	Dedupe    string `db:"dedupe"`
	Title     string `db:"title"`
	Presents  string `db:"presents"`
	Basis     string `db:"basis"`
	State     string `db:"state"`
	CreatedAt int64  `db:"created_at"`
	EndedAt   int64  `db:"ended_at"`
}

const giftColumns = `id, member_id, rule_id, source, ref_id, dedupe, title, presents, basis, state, created_at, ended_at`

// giftsOf reads the gifts for something that happened.
func giftsOf(ctx context.Context, r db.Reader, source string, refID int64) (rows []giftRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+giftColumns+` FROM campaign_gifts WHERE ref_id = ? AND source = ? AND state = 'given' ORDER BY id`, refID, source)
	return rows, err
}

func giftBy(ctx context.Context, r db.Reader, dedupe, lock string) (row giftRow, err error) {
	err = r.Get(ctx, &row, `SELECT `+giftColumns+` FROM campaign_gifts WHERE dedupe = ?`+lock, dedupe)
	return row, err
}

// endGift ends a gift once; false when it ended before or never was.
func endGift(ctx context.Context, tx *db.Tx, dedupe string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE campaign_gifts SET state = 'taken_back', ended_at = ? WHERE dedupe = ? AND state = 'given'`, tx.Millis(), dedupe)
	return n == 1, err
}

// keepPresents keeps what came of a gift.
func keepPresents(ctx context.Context, tx *db.Tx, x giftRow) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE campaign_gifts SET presents = ? WHERE id = ?`, x.Presents, x.ID)
}

// knownGifts says which dedupe texts exist.
func knownGifts(ctx context.Context, r db.Reader, dedupes []string) (map[string]bool, error) {
	out := map[string]bool{}
	for len(dedupes) > 0 {
		n := min(len(dedupes), 500)
		query, args, err := db.In(`SELECT dedupe FROM campaign_gifts WHERE dedupe IN (?)`, dedupes[:n])
		if err != nil {
			return nil, err
		}
		var have []string
		if err := r.Select(ctx, &have, query, args...); err != nil {
			return nil, err
		}
		for _, d := range have {
			out[d] = true
		}
		dedupes = dedupes[n:]
	}
	return out, nil
}

// givenTo counts the gifts of a rule that a member has, with all who are the same person by merges.
func (s *Service) givenTo(ctx context.Context, r db.Reader, ruleID, memberID int64) (n int, err error) {
	family, err := s.members.Family(ctx, r, memberID)
	if err != nil {
		return 0, err
	}
	query, args, err := db.In(`SELECT COUNT(*) FROM campaign_gifts WHERE member_id IN (?) AND rule_id = ? AND state = 'given'`, family, ruleID)
	if err != nil {
		return 0, err
	}
	return n, r.Get(ctx, &n, query, args...)
}

// givenBy counts the gifts of each rule.
func givenBy(ctx context.Context, r db.Reader) (map[int64]int, error) {
	var rows []struct {
		RuleID int64 `db:"rule_id"`
		N      int   `db:"n"`
	}
	err := r.Select(ctx, &rows, `SELECT rule_id, COUNT(*) AS n FROM campaign_gifts WHERE rule_id <> 0 AND state = 'given' GROUP BY rule_id`)
	out := map[int64]int{}
	for _, x := range rows {
		out[x.RuleID] = x.N
	}
	return out, err
}

type cursorRow struct {
	Name      string `db:"name"`
	AtID      int64  `db:"at_id"`
	AtDay     string `db:"at_day"`
	UpdatedAt int64  `db:"updated_at"`
}

// cursor is how far a sweep has come; zero when it has not begun.
func cursor(ctx context.Context, r db.Reader, name string) (c cursorRow, err error) {
	err = r.Get(ctx, &c, `SELECT name, at_id, at_day, updated_at FROM campaign_cursors WHERE name = ?`, name)
	if errors.Is(err, db.ErrNoRows) {
		return cursorRow{Name: name}, nil
	}
	return c, err
}

func saveCursor(ctx context.Context, d *db.DB, c cursorRow) error {
	return d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c.UpdatedAt = tx.Millis()
		n, err := tx.Exec(ctx, `UPDATE campaign_cursors SET at_id = ?, at_day = ?, updated_at = ? WHERE name = ?`, c.AtID, c.AtDay, c.UpdatedAt, c.Name)
		if err != nil || n > 0 {
			return err
		}
		if err = tx.Insert(ctx, "campaign_cursors", c); errors.Is(err, db.ErrDuplicate) {
			return nil // another instance was quicker: it goes on from there
		}
		return err
	})
}

type batchRow struct {
	ID         int64  `db:"id"`
	Name       string `db:"name"`
	Kind       string `db:"kind"`
	Partner    string `db:"partner"`
	Presents   string `db:"presents"`
	Count      int    `db:"code_count"`
	PerMember  int    `db:"per_member"`
	StartsAt   int64  `db:"starts_at"`
	EndsAt     int64  `db:"ends_at"`
	State      string `db:"state"`
	CreatedBy  string `db:"created_by"`
	CreatedAt  int64  `db:"created_at"`
	ExportedBy string `db:"exported_by"`
	ExportedAt int64  `db:"exported_at"`
	StoppedAt  int64  `db:"stopped_at"`
}

const batchColumns = `id, name, kind, partner, presents, code_count, per_member, starts_at, ends_at, state, created_by, created_at, exported_by, exported_at, stopped_at`

func (x batchRow) batch() (b Batch, err error) {
	b = Batch{ID: x.ID, Name: x.Name, Kind: x.Kind, Partner: x.Partner, Count: x.Count, PerMember: x.PerMember, StartsAt: clock.FromMillis(x.StartsAt), EndsAt: clock.Maybe(x.EndsAt),
		State: x.State, CreatedBy: x.CreatedBy, CreatedAt: clock.FromMillis(x.CreatedAt), ExportedBy: x.ExportedBy, ExportedAt: clock.Maybe(x.ExportedAt), StoppedAt: clock.Maybe(x.StoppedAt)}
	return b, json.Unmarshal([]byte(x.Presents), &b.Gift)
}

func insertBatch(ctx context.Context, tx *db.Tx, b Batch) error {
	gift, err := json.Marshal(b.Gift)
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "campaign_batches", batchRow{ID: b.ID, Name: b.Name, Kind: b.Kind, Partner: b.Partner, Presents: string(gift), Count: b.Count, PerMember: b.PerMember,
		StartsAt: clock.MaybeMillis(b.StartsAt), EndsAt: clock.MaybeMillis(b.EndsAt), State: b.State, CreatedBy: b.CreatedBy, CreatedAt: clock.MaybeMillis(b.CreatedAt)})
}

// readBatches reads a page of batches, newest first, with how many of their codes are used.
func readBatches(ctx context.Context, r db.Reader, after string, limit int) ([]Batch, error) {
	from, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		from = 1 << 62
	}
	var rows []batchRow
	if err := r.Select(ctx, &rows, `SELECT `+batchColumns+` FROM campaign_batches WHERE id < ? ORDER BY id DESC LIMIT ?`, from, limit); err != nil || len(rows) == 0 {
		return nil, err
	}
	out, ids := make([]Batch, len(rows)), make([]int64, len(rows))
	for i, x := range rows {
		if out[i], err = x.batch(); err != nil {
			return nil, err
		}
		ids[i] = x.ID
	}
	query, args, err := db.In(`SELECT batch_id, COUNT(*) AS n FROM campaign_codes WHERE batch_id IN (?) AND used_at <> 0 GROUP BY batch_id`, ids)
	if err != nil {
		return nil, err
	}
	var used []struct {
		BatchID int64 `db:"batch_id"`
		N       int   `db:"n"`
	}
	err = r.Select(ctx, &used, query, args...)
	for _, u := range used {
		for i := range out {
			if out[i].ID == u.BatchID {
				out[i].Used = u.N
			}
		}
	}
	return out, err
}

// readBatch reads a batch; lock is "" or the locking clause. Fault: fault.ErrNotFound.
func readBatch(ctx context.Context, r db.Reader, id int64, lock string) (Batch, error) {
	var x batchRow
	err := r.Get(ctx, &x, `SELECT `+batchColumns+` FROM campaign_batches WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Batch{}, fault.ErrNotFound
	}
	if err != nil {
		return Batch{}, err
	}
	b, err := x.batch()
	if err == nil {
		err = r.Get(ctx, &b.Used, `SELECT COUNT(*) FROM campaign_codes WHERE batch_id = ? AND used_at <> 0`, id)
	}
	return b, err
}

type codeRow struct {
	ID        int64  `db:"id"`
	BatchID   int64  `db:"batch_id"`
	Hash      string `db:"code_hash"`
	Tail      string `db:"tail"`
	MemberID  *int64 `db:"member_id"`
	UseNo     *int64 `db:"use_no"`
	UsedAt    int64  `db:"used_at"`
	CreatedAt int64  `db:"created_at"`
}

// codeOf finds a code by its blind index and locks it. Fault: ErrUnknown.
func codeOf(ctx context.Context, tx *db.Tx, hash string) (c codeRow, err error) {
	err = tx.Get(ctx, &c, `SELECT id, batch_id, code_hash, tail, member_id, use_no, used_at, created_at FROM campaign_codes WHERE code_hash = ?`+tx.ForUpdate(), hash)
	if errors.Is(err, db.ErrNoRows) {
		return c, ErrUnknown.On("code", ErrUnknown.Message)
	}
	return c, err
}

// useCode marks a code as used by a member, as the next of so many of all who are the same person by merges. Faults: ErrUsed, ErrLimit.
func (s *Service) useCode(ctx context.Context, tx *db.Tx, c codeRow, memberID int64, most int) error {
	family, err := s.members.Family(ctx, tx, memberID)
	if err != nil {
		return err
	}
	query, args, err := db.In(`SELECT COUNT(*) FROM campaign_codes WHERE batch_id = ? AND member_id IN (?)`, c.BatchID, family)
	if err != nil {
		return err
	}
	var used int64
	if err := tx.Get(ctx, &used, query, args...); err != nil {
		return err
	}
	if used >= int64(most) {
		return ErrLimit
	}
	err = tx.ExecOne(ctx, ErrUsed, `UPDATE campaign_codes SET member_id = ?, use_no = ?, used_at = ? WHERE id = ? AND used_at = 0`, memberID, used+1, tx.Millis(), c.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite // the same member used another one at this very moment
	}
	return err
}

// markExported notes the one export. Fault: ErrExported.
func markExported(ctx context.Context, tx *db.Tx, id int64, by string) error {
	return tx.ExecOne(ctx, ErrExported, `UPDATE campaign_batches SET exported_at = ?, exported_by = ? WHERE id = ? AND exported_at = 0`, tx.Millis(), by, id)
}

func stopBatch(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE campaign_batches SET state = 'stopped', stopped_at = ? WHERE id = ? AND state = 'open'`, tx.Millis(), id)
	return err
}
