// Package secret encrypts personal data at rest and makes it findable.
//
// Model: a Box seals a field with a rotating AEAD keyset (Tink AES-256-GCM), bound to the column it belongs to, and
// computes a blind index (HMAC-SHA256) over a normalised value so that equality can be searched without decrypting.
// Owns: nothing. Invariants: old keys stay in the keyset, so what was sealed before a rotation still opens; a value
// sealed for one column does not open for another.
package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrOpen reports that a value cannot be decrypted with this keyset for this column.
var ErrOpen = errors.New("secret: value does not open with this keyset")

type file struct {
	AEAD  json.RawMessage `json:"aead"`
	Index string          `json:"index"` // base64, 32 bytes; never rotated, or lookups would miss old rows
}

// Box seals, opens and indexes.
type Box struct {
	aead  tink.AEAD
	index []byte
}

// Generate makes the content of a new keyset file.
func Generate() ([]byte, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return write(h, base64.StdEncoding.EncodeToString(key))
}

// Rotate adds a fresh primary key to a keyset file's content; the old keys stay for reading.
func Rotate(content []byte) ([]byte, error) {
	h, f, err := parse(content)
	if err != nil {
		return nil, err
	}
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	if h, err = m.Handle(); err != nil {
		return nil, err
	}
	return write(h, f.Index)
}

// New opens a keyset file's content.
func New(content []byte) (*Box, error) {
	h, f, err := parse(content)
	if err != nil {
		return nil, err
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(f.Index)
	if err != nil || len(key) < 32 {
		return nil, errors.New("secret: the keyset's index key must be 32 bytes in base64")
	}
	return &Box{aead: a, index: key}, nil
}

func parse(content []byte) (*keyset.Handle, file, error) {
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, f, fmt.Errorf("secret: keyset is not JSON: %w", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.AEAD)))
	return h, f, err
}

func write(h *keyset.Handle, index string) ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
		return nil, err
	}
	return json.MarshalIndent(file{AEAD: b.Bytes(), Index: index}, "", "  ")
}

// Seal encrypts plain for a column such as "member.phone"; "" stays "".
func (b *Box) Seal(column, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	c, err := b.aead.Encrypt([]byte(plain), []byte(column))
	return base64.RawStdEncoding.EncodeToString(c), err
}

// Open decrypts what Seal made. Fault: ErrOpen.
func (b *Box) Open(column, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	c, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrOpen
	}
	p, err := b.aead.Decrypt(c, []byte(column))
	if err != nil {
		return "", ErrOpen
	}
	return string(p), nil
}

// Index is the blind index of a normalised value in a column: 32 hex digits (128 bits).
func (b *Box) Index(column, value string) string {
	m := hmac.New(sha256.New, b.index)
	m.Write([]byte(column + "\x00" + value))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// Sign is an HMAC for short-lived signed tokens of the given purpose, in base64url.
func (b *Box) Sign(purpose, text string) string {
	m := hmac.New(sha256.New, b.index)
	m.Write([]byte("sign\x00" + purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Verify checks what Sign made, in constant time.
func (b *Box) Verify(purpose, text, mac string) bool {
	return hmac.Equal([]byte(b.Sign(purpose, text)), []byte(mac))
}

// Token is a fresh random secret of n bytes in base64url.
func Token(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

// Letters are those of codes that people read and type: none looks like another.
const Letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// Code draws n Letters: 5 bits each.
func Code(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	for i := range b {
		b[i] = Letters[int(b[i])%len(Letters)]
	}
	return string(b)
}

// Digits draws n decimal digits.
func Digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		d, _ := rand.Int(rand.Reader, big.NewInt(10)) // never fails: see crypto/rand
		b[i] = byte('0' + d.Int64())
	}
	return string(b)
}

// Hash is the SHA-256 of a token in hex: tokens are stored only so.
func Hash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
