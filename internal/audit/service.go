package audit

import (
	"context"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
)

// Service reads the trail.
type Service struct {
	db        *db.DB
	storeName func(ctx context.Context, id int64) string
}

// New returns the reader. storeName names a store for people and returns "" for one that it does not know.
func New(d *db.DB, storeName func(ctx context.Context, id int64) string) *Service {
	return &Service{db: d, storeName: storeName}
}

// RecordTx adds an entry within the transaction of what it records; actor and address come from ctx.
func RecordTx(ctx context.Context, tx *db.Tx, e Entry) error {
	who := actor.From(ctx)
	detail, err := scrubbed(e.Detail)
	if err != nil {
		return err
	}
	tx.InsertSoon("audit_log", row{
		ID: tx.NewID(), ActorKind: string(who.Kind), ActorID: who.ID, ActorName: clip(Scrub(who.Name), 100),
		Action: clip(e.Action, 64), SubjectKind: clip(e.SubjectKind, 32), SubjectID: e.SubjectID,
		SubjectLabel: clip(Scrub(e.SubjectLabel), 200), StoreID: e.StoreID, IP: clip(who.IP, 64), Detail: detail, At: tx.Millis(),
	})
	return nil
}
