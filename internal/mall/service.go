package mall

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

const colAddress, colCode = "mall.address", "mall.code"

// Deps are what the service needs of others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Box      *secret.Box
	Members  *member.Service
	Catalog  *catalog.Service
	Tiers    *tier.Service
	Shops    *shop.Service
	Points   *points.Service
	Sales    *sale.Service
	Gifts    *campaign.Service
	Messages *notify.Service
	ImageURL func(key string) string
}

// Service runs the use cases of the mall.
type Service struct {
	Deps
	db *db.DB
}

// New returns the service and offers its product for sale.
func New(d Deps) *Service {
	s := &Service{Deps: d, db: d.DB}
	d.Sales.Offer(SaleKind, product{s})
	return s
}

// SaveItem adds an item, or replaces the one with the id; orders keep what they were promised. Faults: fault.ErrInvalid, fault.ErrNotFound,
// campaign.ErrGift.
func (s *Service) SaveItem(ctx context.Context, id int64, in ItemInput) (out Item, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i := Item{ID: id, Active: true, SaleFrom: tx.Now, CreatedAt: tx.Now}
		action := "mall_item.create"
		if id != 0 {
			old, err := itemByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			i, action = old, "mall_item.update"
		} else {
			i.ID = tx.NewID()
		}
		if err := s.checkItem(ctx, tx, &in, i, id != 0); err != nil {
			return err
		}
		i.Name, i.Description, i.Kind, i.SubjectID, i.Image, i.Points, i.MoneyFen = in.Name, in.Description, in.Kind, in.SubjectID, in.Image, in.Points, in.MoneyFen
		i.LowStock, i.PerMember, i.MinTierID, i.Ship, i.Sort, i.SaleTo = in.LowStock, in.PerMember, in.MinTierID, in.Ship, in.Sort, time.Time{}
		if in.SaleFrom != nil {
			i.SaleFrom = *in.SaleFrom
		}
		if in.SaleTo != nil {
			i.SaleTo = *in.SaleTo
		}
		if in.Active != nil {
			i.Active = *in.Active
		}
		if id != 0 {
			err = updateItem(ctx, tx, i)
		} else if err = tx.Insert(ctx, "mall_items", i.row(tx.Millis())); err == nil && in.Stock > 0 {
			err = moveStock(ctx, tx, moveRow{ItemID: i.ID, Kind: MoveAdjust, Amount: in.Stock, Reason: "上架", ByName: db.Clip(actor.From(ctx).Name, 60)})
			i.Stock = in.Stock
		}
		if err != nil {
			return err
		}
		out = i
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "mall_item", SubjectID: i.ID, SubjectLabel: i.Name, Detail: in})
	})
	return out, err
}

func (s *Service) checkItem(ctx context.Context, tx *db.Tx, in *ItemInput, old Item, exists bool) error {
	var c fault.Complaints
	in.check(&c)
	if exists && (in.Kind != old.Kind || in.SubjectID != old.SubjectID) {
		c.Bad("kind", "已上架的礼品不能换成别的东西，请另建一件")
	}
	if exists && in.Stock != 0 && in.Stock != old.Stock {
		c.Bad("stock", "库存请用「调整库存」修改")
	}
	if in.MinTierID != 0 {
		if _, _, err := s.rank(ctx, in.MinTierID, 0); err != nil {
			c.Bad("minTierId", "没有这个会员等级")
		}
	}
	if in.Kind == KindGood && in.SubjectID != 0 {
		goods, err := s.Catalog.Goods(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(goods, func(g catalog.Good) bool { return g.ID == in.SubjectID && g.Active }) {
			c.Bad("subjectId", "没有这个商品，或已停用")
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	if g := giftOf(in.Kind, in.SubjectID, 1); g != nil {
		if _, err := s.Gifts.CheckGift(ctx, tx, "subject", g); err != nil {
			f := fault.As(err)
			if f.Kind >= 500 || len(f.Fields) == 0 {
				return err
			}
			return fault.ErrInvalid.On("subjectId", f.Fields[0].Message)
		}
	}
	return nil
}

// rank says whether tier have reaches tier want, and what want is called. Fault: fault.ErrNotFound for a tier that does not exist.
func (s *Service) rank(ctx context.Context, want, have int64) (reached bool, name string, err error) {
	all, err := s.Tiers.Tiers(ctx)
	if err != nil {
		return false, "", err
	}
	w := slices.IndexFunc(all, func(t tier.Tier) bool { return t.ID == want })
	h := slices.IndexFunc(all, func(t tier.Tier) bool { return t.ID == have })
	if w < 0 {
		return false, "", fault.ErrNotFound
	}
	return h >= w, all[w].Name, nil
}

// StockChange is by how much a stock changes, and why.
type StockChange struct {
	Amount int64  `json:"amount" minimum:"-1000000" maximum:"1000000" doc:"Positive: came in"`
	Reason string `json:"reason" minLength:"1" maxLength:"100"`
}

// ChangeStock brings a stock up or down; what is ordered is not in it any more. It is a money command. Faults: ErrStock, fault.ErrNotFound.
func (s *Service) ChangeStock(ctx context.Context, id int64, in StockChange) (out Item, err error) {
	in.Reason = strings.TrimSpace(in.Reason)
	if in.Amount == 0 || in.Reason == "" {
		return out, fault.ErrInvalid.On("amount", "请填写增减数量和原因")
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := onceTx(ctx, tx, id, func() error {
			i, err := itemByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			if i.Stock+in.Amount < 0 {
				return ErrStock.Say("现在只有 %d 件，不能减少 %d 件", i.Stock, -in.Amount).On("amount", "超过了现有库存")
			}
			if i.Stock+in.Amount > maxStock {
				return fault.ErrInvalid.On("amount", "库存最多一百万件")
			}
			if err := moveStock(ctx, tx, moveRow{ItemID: id, Kind: MoveAdjust, Amount: in.Amount, Reason: in.Reason, ByName: db.Clip(actor.From(ctx).Name, 60)}); err != nil {
				return err
			}
			return audit.RecordTx(ctx, tx, audit.Entry{Action: "mall_item.stock", SubjectKind: "mall_item", SubjectID: id, SubjectLabel: i.Name, Detail: in})
		})
		if err != nil {
			return err
		}
		out, err = itemByID(ctx, tx, id, "")
		return err
	})
	return out, err
}

// newPickup draws a pickup code and returns what is stored of it. Only staff may try codes, and each opens one order of their store.
func (s *Service) newPickup() (index *string, sealed string, err error) {
	code := secret.Digits(10)
	x := s.Box.Index(colCode, code)
	sealed, err = s.Box.Seal(colCode, code)
	return &x, sealed, err
}

func (s *Service) sealAddress(a Address) (string, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return s.Box.Seal(colAddress, string(raw))
}

func (s *Service) openAddress(o Order) (*Address, error) {
	if o.address == "" {
		return nil, nil
	}
	text, err := s.Box.Open(colAddress, o.address)
	if err != nil {
		return nil, err
	}
	var a Address
	return &a, json.Unmarshal([]byte(text), &a)
}

// Uncollected refuses while a member has orders that wait for their money, their collection or their parcel: who leaves ends them first.
// Fault: ErrOpen.
func (s *Service) Uncollected(ctx context.Context, memberID int64) error {
	titles, err := openTitles(ctx, s.DB, memberID)
	if err == nil && len(titles) > 0 {
		err = ErrOpen.Say("还有 %d 件兑换的礼品没有领取（%s），请先领取；不想要了可以取消，积分和钱会退回", len(titles), titles[0])
	}
	return err
}

// EraseTx forgets where things of a member who leaves were sent.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	return forgetAddresses(ctx, tx, memberID)
}

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, o Order, event, hint string) error {
	store := "线上"
	if st, err := s.Shops.Store(ctx, o.StoreID); err == nil {
		store = st.Name
	}
	return s.Messages.EnqueueTx(ctx, tx, notify.Message{MemberID: o.MemberID, Event: event, Dedupe: event + ":" + o.No + ":" + o.TrackingNo, Page: fmt.Sprintf("pages/club/order?id=%d", o.ID),
		Data: map[string]string{"title": o.Title, "store": store, "hint": hint, "number": o.TrackingNo, "time": tx.Now.Format(time.RFC3339)}})
}
