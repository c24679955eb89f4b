package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
)

// people finds members for the coupons: what a filter asks for is spread over several slices.
type people struct{ db *db.DB }

// where is the condition of a filter over member_members m and tier_members t. Fault: a parse error of a date.
func (p people) where(ctx context.Context, f coupon.Filter) (cond string, args []any, err error) {
	cond = ` FROM member_members m LEFT JOIN tier_members t ON t.member_id = m.id WHERE m.status = 'active'`
	and := func(c string, a ...any) { cond, args = cond+" AND "+c, append(args, a...) }
	if len(f.TierIDs) > 0 {
		var def []int64
		if err := p.db.Select(ctx, &def, `SELECT id FROM tier_tiers WHERE default_mark = 1`); err != nil {
			return "", nil, err
		}
		and(`COALESCE(t.tier_id, ?) IN (?)`, append(def, 0)[0], f.TierIDs)
	}
	if f.JoinedFrom != "" {
		from, _, err := bizday.Bounds(f.JoinedFrom, bizday.DefaultZone)
		if err != nil {
			return "", nil, err
		}
		and(`m.joined_at >= ?`, from.UnixMilli())
	}
	if f.JoinedTo != "" {
		_, to, err := bizday.Bounds(f.JoinedTo, bizday.DefaultZone)
		if err != nil {
			return "", nil, err
		}
		and(`m.joined_at < ?`, to.UnixMilli())
	}
	if f.LastVisitBefore != "" {
		and(`NOT EXISTS (SELECT 1 FROM checkout_orders o WHERE o.member_id = m.id AND o.status = 'settled' AND o.biz_day >= ?)`, f.LastVisitBefore)
	}
	if f.BirthMonth > 0 {
		and(`m.birthday LIKE ?`, fmt.Sprintf("____-%02d-%%", f.BirthMonth))
	}
	if f.StoreID > 0 {
		and(`m.store_id = ?`, f.StoreID)
	}
	if f.VisitedFrom != "" {
		and(`EXISTS (SELECT 1 FROM checkout_orders o WHERE o.member_id = m.id AND o.status = 'settled' AND o.biz_day >= ?)`, f.VisitedFrom)
	}
	if len(f.Tags) > 0 {
		and(`EXISTS (SELECT 1 FROM member_tags g WHERE g.member_id = m.id AND g.tag IN (?))`, f.Tags)
	}
	if car, more := carOf(f); car != "" {
		and(`EXISTS (SELECT 1 FROM member_vehicles v WHERE v.member_id = m.id`+car+`)`, more...)
	}
	return cond, args, nil
}

// carOf is the condition of a filter over one car v: all that it says of cars holds for the same one.
func carOf(f coupon.Filter) (cond string, args []any) {
	and := func(c string, a ...any) { cond, args = cond+" AND "+c, append(args, a...) }
	if len(f.ClassIDs) > 0 {
		and(`v.vehicle_class_id IN (?)`, f.ClassIDs)
	}
	if f.PlatePrefix != "" {
		and(`v.plate LIKE ? ESCAPE '!'`, db.Like(strings.ToUpper(f.PlatePrefix))+"%")
	}
	if f.PurchasedFrom != "" {
		and(`v.purchased_on >= ?`, f.PurchasedFrom)
	}
	if f.PurchasedTo != "" {
		and(`v.purchased_on <> '' AND v.purchased_on <= ?`, f.PurchasedTo)
	}
	return cond, args
}

// Find lists members after the given one in ascending order.
func (p people) Find(ctx context.Context, f coupon.Filter, after int64, limit int) (ids []int64, err error) {
	cond, args, err := p.where(ctx, f)
	if err != nil {
		return nil, err
	}
	q, args, err := db.In(`SELECT m.id`+cond+` AND m.id > ? ORDER BY m.id LIMIT ?`, append(args, after, limit)...)
	if err != nil {
		return nil, err
	}
	return ids, p.db.Select(ctx, &ids, q, args...)
}

// Count is how many members the filter finds now.
func (p people) Count(ctx context.Context, f coupon.Filter) (n int64, err error) {
	cond, args, err := p.where(ctx, f)
	if err != nil {
		return 0, err
	}
	q, args, err := db.In(`SELECT COUNT(*)`+cond, args...)
	if err != nil {
		return 0, err
	}
	return n, p.db.Get(ctx, &n, q, args...)
}
