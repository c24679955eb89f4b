package member

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Limits of tags: words by which the shop finds people again (F13).
const (
	maxTags     = 10
	maxTagRunes = 12
)

// TagCount is a tag that is in use.
type TagCount struct {
	Tag     string `json:"tag" db:"tag"`
	Members int64  `json:"members" db:"members"`
}

// CleanTags puts tags in order, each once; the complaint says what is wrong.
func CleanTags(in []string) (tags []string, complaint string) {
	tags = []string{}
	for _, t := range in {
		t, bad := cleanText(strings.TrimSpace(t), maxTagRunes*4)
		if bad != "" || t == "" || strings.Contains(t, "\n") || utf8.RuneCountInString(t) > maxTagRunes {
			return nil, fmt.Sprintf("每个标签 1 到 %d 个字", maxTagRunes)
		}
		tags = append(tags, t)
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if len(tags) > maxTags {
		return nil, fmt.Sprintf("最多 %d 个标签，请先去掉几个", maxTags)
	}
	return tags, ""
}

// SetTags gives a member these tags and no others. Faults: fault.ErrInvalid at tags, fault.ErrNotFound, ErrClosed, ErrMerged.
func (s *Service) SetTags(ctx context.Context, memberID int64, in []string) ([]string, error) {
	tags, complaint := CleanTags(in)
	if complaint != "" {
		return nil, fault.ErrInvalid.On("tags", complaint)
	}
	return tags, s.change(ctx, memberID, "member.tags", func(tx *db.Tx, m *memberRow) (map[string]any, error) {
		if m.Status == StatusClosed {
			return nil, ErrClosed
		}
		before, err := tagsOf(ctx, tx, memberID)
		if err != nil {
			return nil, err
		}
		for _, t := range before {
			if !slices.Contains(tags, t) {
				if err := dropTagTx(ctx, tx, memberID, t); err != nil {
					return nil, err
				}
			}
		}
		return map[string]any{"before": before, "after": tags}, addTagsTx(ctx, tx, memberID, tags, before)
	})
}

// Tags are a member's, in order.
func (s *Service) Tags(ctx context.Context, memberID int64) ([]string, error) {
	return tagsOf(ctx, s.db, memberID)
}

// AllTags lists the tags in use, the most frequent first; staff of some stores see those of the members who joined there.
func (s *Service) AllTags(ctx context.Context) ([]TagCount, error) {
	if who := actor.From(ctx); who.Kind == actor.Staff && !who.AllStores {
		return countTags(ctx, s.db, append([]int64{0}, who.Stores...))
	}
	return countTags(ctx, s.db, nil)
}

// takeTagsTx gives the tags of a member who is merged to the other, as far as there is room.
func takeTagsTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	theirs, err := tagsOf(ctx, tx, from)
	if err != nil || len(theirs) == 0 {
		return err
	}
	mine, err := tagsOf(ctx, tx, into)
	if err != nil {
		return err
	}
	all := slices.Clone(mine)
	for _, t := range theirs {
		if len(all) < maxTags && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	if err := deleteTagsTx(ctx, tx, from); err != nil {
		return err
	}
	return addTagsTx(ctx, tx, into, all, mine)
}
