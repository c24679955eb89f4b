package wxsandbox

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// pushBlock is the size to which WeChat pads: twice the cipher's own.
const pushBlock = 32

var (
	tokenForm  = regexp.MustCompile(`^[0-9A-Za-z]{3,32}$`)
	aesKeyForm = regexp.MustCompile(`^[0-9A-Za-z]{43}$`)
)

func (a AppOptions) checkPush() error {
	if a.Token != "" && !tokenForm.MatchString(a.Token) {
		return errors.New("wxsandbox: a push token has 3 to 32 letters and digits")
	}
	if a.AESKey != "" && (!aesKeyForm.MatchString(a.AESKey) || a.key() == nil) {
		return errors.New("wxsandbox: an EncodingAESKey has 43 letters and digits")
	}
	return nil
}

func (a AppOptions) key() []byte {
	k, err := base64.StdEncoding.DecodeString(a.AESKey + "=")
	if err != nil || len(k) != 32 {
		return nil
	}
	return k
}

// CompletePush makes the tokens and keys of the pushes where they are missing: credentials of an older sandbox have none.
func (c *Credentials) CompletePush() (made bool) {
	for _, a := range []*AppOptions{&c.MiniProgram, &c.OfficialAccount} {
		if a.Token == "" {
			a.Token, made = randomHex(12), true
		}
		if a.AESKey == "" {
			a.AESKey, made = newAESKey(), true
		}
	}
	return made
}

// newAESKey gives 43 letters and digits that are 32 bytes; the last of them carries four bits only.
func newAESKey() string {
	for {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails
		if k := base64.RawStdEncoding.EncodeToString(b); aesKeyForm.MatchString(k) {
			return k
		}
	}
}

// signPush is the sha1 over the sorted parts.
func signPush(parts ...string) string {
	slices.Sort(parts)
	h := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(h[:])
}

// seal encrypts: 16 random bytes, the length, the message, the appid; AES-256-CBC whose vector is the key's first half.
func (a AppOptions) seal(message []byte, appID string) (string, error) {
	block, err := aes.NewCipher(a.key())
	if err != nil {
		return "", errors.New("wxsandbox: no EncodingAESKey")
	}
	b := make([]byte, 20, 20+len(message)+len(appID)+pushBlock)
	_, _ = rand.Read(b[:16])
	binary.BigEndian.PutUint32(b[16:], uint32(len(message)))
	b = append(append(b, message...), appID...)
	pad := pushBlock - len(b)%pushBlock
	for range pad {
		b = append(b, byte(pad))
	}
	cipher.NewCBCEncrypter(block, a.key()[:16]).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b), nil
}

// unseal decrypts what the shop answered, which must name our appid.
func (a AppOptions) unseal(text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return nil, errors.New("not encrypted")
	}
	block, err := aes.NewCipher(a.key())
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, a.key()[:16]).CryptBlocks(b, b)
	pad := int(b[len(b)-1])
	if pad < 1 || pad > pushBlock || len(b)-pad < 20 {
		return nil, errors.New("wrong padding")
	}
	b = b[:len(b)-pad]
	n := int(binary.BigEndian.Uint32(b[16:20]))
	if n < 0 || 20+n > len(b) || string(b[20+n:]) != a.AppID {
		return nil, errors.New("wrong length or appid")
	}
	return b[20 : 20+n], nil
}
