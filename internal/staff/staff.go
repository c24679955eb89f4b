// Package staff knows who works here and what each may do.
//
// Model: an Account has a status, roles and stores; a Role is a set of permissions; an invite binds the invitee's own
// WeChat identity (one openid per app) to the account; a user name with a password signs in to the console as well.
// Owns: staff_accounts, staff_roles, staff_account_roles, staff_account_stores, staff_invites, staff_identities,
// staff_attempts.
// Invariants: suspension acts at the next request; nobody grants a permission, role or store that they do not hold;
// only an owner touches an owner; one active owner always remains; an invite works once; only hashes of passwords and
// invite codes are stored.
package staff

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/perm"
)

// The states of an account.
const (
	StatusInvited   = "invited"   // never signed in
	StatusActive    = "active"    //
	StatusSuspended = "suspended" // by the shop
)

// SessionLife is how long a staff session lasts, in all.
const SessionLife = 12 * time.Hour

const inviteLife = 7 * 24 * time.Hour

// Role is a named set of permissions.
type Role struct {
	ID          int64
	Key         string // owner, manager, …
	Name        string
	Permissions []string
}

// Store is what staff pages show of a store.
type Store struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Identity is a person at one WeChat app.
type Identity struct {
	App     string // mini_program or official_account
	OpenID  string
	UnionID string // "" when WeChat gave none
}

// roleNames are the names that the shop's first roles get.
var roleNames = []struct{ key, name string }{
	{perm.RoleOwner, "老板"}, {perm.RoleManager, "店长"}, {perm.RoleReceptionist, "前台"}, {perm.RoleTechnician, "技师"}, {perm.RoleAccountant, "财务"},
}

// effective are a role's permissions: the owner's are all that exist, also those that a later version added.
func effective(key, stored string) []string {
	if key == perm.RoleOwner {
		return slices.Clone(everything())
	}
	return strings.Fields(stored)
}

// everything is every permission that exists, sorted.
var everything = sync.OnceValue(func() []string {
	keys := perm.Keys()
	slices.Sort(keys)
	return keys
})

// missing lists what of want is not in have.
func missing[T comparable](have, want []T) []T {
	var out []T
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}

var usernameForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{2,31}$`)

// cleanUsername lower-cases and checks a user name; "" is allowed and means none.
func cleanUsername(s string) (name, complaint string) {
	name = strings.ToLower(strings.TrimSpace(s))
	if name != "" && !usernameForm.MatchString(name) {
		return "", "用户名为 3 到 32 位小写字母、数字、点、横线，以字母开头"
	}
	return name, ""
}

// cleanName trims a staff member's name.
func cleanName(s string) (name, complaint string) {
	name = strings.Join(strings.Fields(s), " ")
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", "请填写姓名"
	case n > 20:
		return "", "姓名最多 20 个字"
	case strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ·.-'’", r)
	}):
		return "", "姓名只能包含文字和数字"
	}
	return name, ""
}

// checkPassword says what is wrong with a new password, "" when it is good.
func checkPassword(password, username string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case n < 8:
		return "密码至少 8 位"
	case len(password) > 128:
		return "密码最多 128 位"
	case username != "" && strings.EqualFold(password, username):
		return "密码不能与用户名相同"
	case weak(password):
		return "密码太简单，请混用字母、数字或符号"
	}
	return ""
}

// common are the words that the most used passwords are made of, alone or with digits and signs around them.
var common = []string{"", "password", "passwd", "pass", "passw0rd", "p@ssw0rd", "p@ssword", "admin", "administrator", "root", "test", "guest", "user", "welcome", "letmein", "login", "master", "secret",
	"abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "aa", "aaa", "a", "q", "qq", "z", "zz", "zxc", "zxcv", "zxcvb", "zxcvbn", "zxcvbnm", "asd", "asdf", "asdfg", "asdfgh", "asdfghjkl", "qwe", "qwer", "qwert", "qwerty",
	"qwertyui", "qwertyuiop", "qaz", "qazwsx", "qazwsxedc", "1q2w3e4r", "1qaz2wsx", "q1w2e3r4", "iloveyou", "woaini", "woaini1314", "wo", "nihao", "xiche", "dragon", "monkey", "football", "sunshine", "princess", "superman"}

// weak refuses what people pick first: one character repeated, digits alone, keys in a row, a common word with a year or a sign behind it.
func weak(p string) bool {
	lower := strings.ToLower(p)
	edge := func(r rune) bool { return unicode.IsDigit(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) }
	same := strings.Trim(lower, string([]rune(lower)[0])) == ""
	words := []string{lower, strings.TrimFunc(lower, edge), strings.TrimRightFunc(lower, edge)}
	if half := lower[:len(lower)/2]; half+half == lower {
		words = append(words, half)
	}
	return same || slices.ContainsFunc(words, func(w string) bool { return slices.Contains(common, w) })
}
