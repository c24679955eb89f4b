package group

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
)

// Reapply changes a company's application that waits or was refused, and hands it in again. Faults: ErrState, fault.ErrInvalid.
func (s *Service) Reapply(ctx context.Context, id int64, n NewGroup) (Group, error) {
	n.Kind = Corporate
	if err := n.clean(); err != nil {
		return Group{}, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if g.Kind != Corporate || (g.State != StateReview && g.State != StateRejected) {
			return ErrState
		}
		g.Name, g.CreditCode, g.Contact, g.State, g.Reason = n.Name, n.CreditCode, n.Contact, StateReview, ""
		if err := s.sealContact(g); err != nil {
			return err
		}
		return s.record(ctx, tx, "group.apply", *g, map[string]any{"creditCode": g.CreditCode, "again": true})
	})
}

// Review answers a company's application. Faults: ErrState, ErrDocuments, ErrCreditUsed, fault.ErrInvalid without a reason.
func (s *Service) Review(ctx context.Context, id int64, approve bool, reason string) (Group, error) {
	least := 0
	if !approve {
		least = 2
	}
	reason, complaint := cleanText(reason, least, 200)
	if complaint != "" {
		return Group{}, fault.ErrInvalid.On("reason", complaint)
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if g.Kind != Corporate || g.State != StateReview {
			return ErrState
		}
		action := "group.reject"
		g.State = StateRejected
		if approve {
			docs, err := documentsOf(ctx, tx, g.ID, "")
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(docs, func(d documentRow) bool { return d.Kind == DocumentLicense }) {
				return ErrDocuments.Say("还没有营业执照照片，不能通过；请顾客补传")
			}
			st, err := s.members.Get(ctx, g.PayerID) // only shown: the till reads it again under lock
			if err != nil {
				return err
			}
			if st.Status != "active" {
				return ErrPayer.Say("付款人的会员资格不是正常状态，不能通过")
			}
			g.State, action = StateActive, "group.approve"
			if err := s.movesTx(ctx, tx, g); err != nil {
				return err
			}
		}
		now := tx.Now
		g.Reason, g.ReviewedBy, g.ReviewedAt = reason, db.Clip(actor.From(ctx).Name, 64), &now
		return s.record(ctx, tx, action, *g, map[string]any{"reason": reason})
	})
}

// Suspend stops a group from paying, or lets it pay again. Faults: ErrState, fault.ErrInvalid without a reason.
func (s *Service) Suspend(ctx context.Context, id int64, on bool, reason string) (Group, error) {
	least := 0
	if on {
		least = 2
	}
	reason, complaint := cleanText(reason, least, 200)
	if complaint != "" {
		return Group{}, fault.ErrInvalid.On("reason", complaint)
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		from, to, action := StateSuspended, StateActive, "group.resume"
		if on {
			from, to, action = StateActive, StateSuspended, "group.suspend"
		}
		if g.State != from {
			return ErrState
		}
		g.State, g.Reason = to, reason
		if err := s.movesTx(ctx, tx, g); err != nil {
			return err
		}
		return s.record(ctx, tx, action, *g, map[string]any{"reason": reason})
	})
}

// AddDocument keeps a photo of a proof, sealed. Faults: ErrState, ErrDocMax, those of blob.Service.Put.
func (s *Service) AddDocument(ctx context.Context, id int64, kind string, data []byte) (Group, error) {
	g, err := s.Get(ctx, id)
	if err != nil {
		return g, err
	}
	if err := s.mine(ctx, s.db, g); err != nil {
		return g, err
	}
	if err := documentable(g); err != nil {
		return g, err
	}
	key, err := s.documents.PutSealed(ctx, data, func(plain string) (string, error) { return s.box.Seal(colDocument, plain) })
	if err != nil {
		return g, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if err := documentable(*g); err != nil {
			return err
		}
		docs, err := documentsOf(ctx, tx, id, "")
		if err != nil {
			return err
		}
		if len(docs) >= maxDocuments {
			return ErrDocMax
		}
		no := 1
		for slices.ContainsFunc(docs, func(d documentRow) bool { return d.No == no }) {
			no++
		}
		if err := tx.Insert(ctx, "group_documents", documentRow{ID: tx.NewID(), GroupID: id, No: no, Kind: kind, Key: key, CreatedAt: tx.Millis()}); err != nil {
			return err
		}
		return s.record(ctx, tx, "group.document", *g, map[string]any{"kind": kind})
	})
}

// documentable says whether proofs may be added or taken away: what a decision was made on stays. Fault: ErrState.
func documentable(g Group) error {
	if g.Kind != Corporate || (g.State != StateReview && g.State != StateRejected) {
		return ErrState.Say("审核中的企业账户才能修改证明")
	}
	return nil
}

// RemoveDocument takes a proof away. Faults: ErrState, fault.ErrNotFound.
func (s *Service) RemoveDocument(ctx context.Context, id, documentID int64) (Group, error) {
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if err := documentable(*g); err != nil {
			return err
		}
		docs, err := documentsOf(ctx, tx, id, "")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(docs, func(d documentRow) bool { return d.ID == documentID })
		if i < 0 {
			return fault.ErrNotFound
		}
		if err := deleteDocument(ctx, tx, id, documentID); err != nil {
			return err
		}
		return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobForget, Payload: []string{docs[i].Key}})
	})
}

// Document reads a proof as JPEG, with a trace when staff look at it. Fault: fault.ErrNotFound.
func (s *Service) Document(ctx context.Context, id, documentID int64) ([]byte, error) {
	g, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.mine(ctx, s.db, g); err != nil {
		return nil, err
	}
	docs, err := documentsOf(ctx, s.db, id, "")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(docs, func(d documentRow) bool { return d.ID == documentID })
	if i < 0 {
		return nil, fault.ErrNotFound
	}
	data, err := s.documents.Sealed(ctx, docs[i].Key, func(sealed string) (string, error) { return s.box.Open(colDocument, sealed) })
	if err != nil || actor.From(ctx).Kind == actor.Owner {
		return data, err
	}
	return data, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.record(ctx, tx, "group.document_view", g, map[string]any{"kind": docs[i].Kind})
	})
}
