package memberview

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
)

// hits is a derived table of the member ids that a query matches, with its arguments. Each reading uses its own index;
// blind indexes find phones and names without decrypting.
func (s *Service) hits(q query) (sql string, args []any) {
	var parts []string
	add := func(part string, more ...any) { parts, args = append(parts, part), append(args, more...) }
	if q.phone != "" {
		add(`SELECT id FROM member_members WHERE phone_index = ?`, s.members.PhoneIndex(q.phone))
	}
	if q.last4 != "" {
		add(`SELECT id FROM member_members WHERE last4_index = ?`, s.members.Last4Index(q.last4))
	}
	if q.name != "" {
		add(`SELECT id FROM member_members WHERE name_index = ?`, s.members.NameIndex(q.name))
	}
	if q.card != "" {
		add(`SELECT member_id AS id FROM member_cards WHERE card_no LIKE ? ESCAPE '!'`, db.Like(q.card)+"%")
	}
	if q.oldCard != "" {
		add(`SELECT member_id AS id FROM member_old_cards WHERE card_no = ?`, q.oldCard)
	}
	if q.plate != "" {
		cond, more := PlateIs(`plate`, q.plate)
		add(`SELECT member_id AS id FROM member_vehicles WHERE `+cond, more...)
	}
	return strings.Join(parts, " UNION "), args
}

// PlateIs is the condition that a normalised text is part of a plate. One that begins with a Han character, the province, is its beginning, which an
// index finds. Any other may stand anywhere in it: every plate is looked at.
func PlateIs(column, part string) (cond string, args []any) {
	if first, _ := utf8.DecodeRuneInString(part); first >= 0x4e00 {
		return column + ` >= ? AND ` + column + ` < ?`, []any{part, part + "\uFFFD"}
	}
	return column + ` LIKE ? ESCAPE '!'`, []any{"%" + db.Like(part) + "%"}
}

// maxHits bounds a search at the desk: whoever is not among them has to be searched by more.
const maxHits = 20

// lookupMembers are the members that a desk search finds: most recent visit is not known here, so by id. Who is found by what belongs to a member who was
// merged into them, such as the old card, is found too.
func (s *Service) lookupMembers(ctx context.Context, q query) (ids []int64, err error) {
	sql, args := s.hits(q)
	if sql == "" {
		return nil, nil
	}
	err = s.db.Select(ctx, &ids, `SELECT DISTINCT m.id FROM (`+sql+`) f JOIN member_members x ON x.id = f.id JOIN member_members m ON m.id = CASE WHEN x.merged_into = 0 THEN x.id ELSE x.merged_into END
		WHERE m.status IN ('review', 'active', 'suspended', 'closing') ORDER BY m.id DESC LIMIT ?`, append(args, maxHits)...)
	return ids, err
}

type walkIn struct {
	Plate string `db:"plate"`
	Count int    `db:"n"`
	Last  int64  `db:"last_at"`
}

// lookupWalkIns are plates of settled visits without a member (B04).
func lookupWalkIns(ctx context.Context, r db.Reader, plate string) (rows []walkIn, err error) {
	if plate == "" {
		return nil, nil
	}
	cond, args := PlateIs(`plate`, plate)
	err = r.Select(ctx, &rows, `SELECT plate, COUNT(*) AS n, MAX(settled_at) AS last_at FROM checkout_orders
		WHERE member_id = 0 AND status = 'settled' AND `+cond+` GROUP BY plate ORDER BY last_at DESC, plate LIMIT ?`, append(args, maxHits)...)
	return rows, err
}

// person is what lists show of a member, masked.
type person struct {
	ID          int64  `db:"id"`
	NameSealed  string `db:"name_sealed"`
	Gender      string `db:"gender"`
	PhoneSealed string `db:"phone_sealed"`
	Status      string `db:"status"`
	StoreID     int64  `db:"store_id"`
	JoinedAt    int64  `db:"joined_at"`

	Name, Phone      string
	CardNo, CardStat string
	TierID           int64
	Plates           []string
	Visits           visits
	Holding          holding
}

// people reads members with all that lists show, in the order of ids: one read per table, none per row.
func (s *Service) people(ctx context.Context, ids []int64) ([]person, error) {
	var rows []person
	if err := db.SelectIn(ctx, s.db, &rows, `SELECT id, name_sealed, gender, phone_sealed, status, store_id, joined_at FROM member_members WHERE id IN (?)`, ids); err != nil {
		return nil, err
	}
	at := make(map[int64]*person, len(rows))
	for i := range rows {
		p := &rows[i]
		name, err := s.members.OpenName(p.NameSealed)
		if err != nil {
			return nil, err
		}
		phone, err := s.members.OpenPhone(p.PhoneSealed)
		if err != nil {
			return nil, err
		}
		p.Name, p.Phone = member.MaskName(name), member.MaskPhone(phone)
		at[p.ID] = p
	}
	if err := s.fillPeople(ctx, ids, at); err != nil {
		return nil, err
	}
	out := make([]person, 0, len(rows))
	for _, id := range ids {
		if p := at[id]; p != nil {
			out = append(out, *p)
		}
	}
	return out, nil
}

func (s *Service) fillPeople(ctx context.Context, ids []int64, at map[int64]*person) error {
	var cards []struct {
		MemberID int64  `db:"member_id"`
		No       string `db:"card_no"`
		Status   string `db:"status"`
	}
	if err := db.SelectIn(ctx, s.db, &cards, `SELECT member_id, card_no, status FROM member_cards WHERE current_member IN (?)`, ids); err != nil {
		return err
	}
	for _, c := range cards {
		if p := at[c.MemberID]; p != nil {
			p.CardNo, p.CardStat = c.No, c.Status
		}
	}
	var tiers []struct {
		MemberID int64 `db:"member_id"`
		TierID   int64 `db:"tier_id"`
	}
	if err := db.SelectIn(ctx, s.db, &tiers, `SELECT member_id, tier_id FROM tier_members WHERE member_id IN (?)`, ids); err != nil {
		return err
	}
	for _, t := range tiers {
		if p := at[t.MemberID]; p != nil {
			p.TierID = t.TierID
		}
	}
	var plates []struct {
		MemberID int64  `db:"member_id"`
		Plate    string `db:"plate"`
	}
	if err := db.SelectIn(ctx, s.db, &plates, `SELECT member_id, plate FROM member_vehicles WHERE member_id IN (?) ORDER BY id`, ids); err != nil {
		return err
	}
	for _, v := range plates {
		if p := at[v.MemberID]; p != nil {
			p.Plates = append(p.Plates, v.Plate)
		}
	}
	seen, err := readVisits(ctx, s.db, ids)
	if err != nil {
		return err
	}
	held, err := readHoldings(ctx, s.db, ids, s.db.Now().UnixMilli())
	for id, p := range at {
		p.Visits, p.Holding = seen[id], held[id]
	}
	return err
}

// tierNames maps an assignment (0: none) to the tier's name.
func (s *Service) tierNames(ctx context.Context) (func(id int64) string, error) {
	all, err := s.tiers.Tiers(ctx)
	names, def := make(map[int64]string, len(all)), ""
	for _, t := range all {
		names[t.ID] = t.Name
		if t.IsDefault {
			def = t.Name
		}
	}
	return func(id int64) string {
		if n, ok := names[id]; ok {
			return n
		}
		return def
	}, err
}
