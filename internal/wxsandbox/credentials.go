package wxsandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Credentials are the throw-away identifiers and keys of one sandbox. They serialise to JSON, so that a demo folder
// can keep them. The platform's private keys are in it because the sandbox is the platform.
type Credentials struct {
	MiniProgram               AppOptions `json:"miniProgram"`
	OfficialAccount           AppOptions `json:"officialAccount"`
	MchID                     string     `json:"mchId"`
	APIv3Key                  string     `json:"apiV3Key"`
	MerchantSerial            string     `json:"merchantSerial"`
	MerchantPrivateKeyPEM     string     `json:"merchantPrivateKeyPem"`
	MerchantPublicKeyPEM      string     `json:"merchantPublicKeyPem"`
	PlatformPublicKeyID       string     `json:"platformPublicKeyId"`
	PlatformPublicKeyPEM      string     `json:"platformPublicKeyPem"`
	PlatformPrivateKeyPEM     string     `json:"platformPrivateKeyPem"`
	PlatformCertificateSerial string     `json:"platformCertificateSerial"`
	PlatformCertificatePEM    string     `json:"platformCertificatePem"`
	PlatformCertKeyPEM        string     `json:"platformCertKeyPem"`
}

// The markers. A real appid has the same form, so the last four digits are a checksum over the rest: a real one
// passes by chance once in 10¹².
const (
	appIDMarker = "wx5a9db0"
	mchIDMarker = "1999"
)

var (
	appIDForm = regexp.MustCompile(`^wx[0-9a-f]{16}$`)
	mchIDForm = regexp.MustCompile(`^[0-9]{10}$`)
)

// IsSandboxAppID reports whether the appid was made by NewCredentials. Production code uses it to refuse such an id.
func IsSandboxAppID(id string) bool {
	return appIDForm.MatchString(id) && strings.HasPrefix(id, appIDMarker) && id[14:] == markerSum(id[:14])[:4]
}

// IsSandboxMchID reports whether the merchant number was made by NewCredentials.
func IsSandboxMchID(id string) bool {
	return mchIDForm.MatchString(id) && strings.HasPrefix(id, mchIDMarker) && id[7:] == mchSum(id[:7])
}

func markerSum(s string) string {
	h := sha256.Sum256([]byte("wxsandbox:" + s))
	return hex.EncodeToString(h[:])
}

func mchSum(s string) string {
	h := sha256.Sum256([]byte("wxsandbox:" + s))
	return fmt.Sprintf("%03d", (int(h[0])<<8|int(h[1]))%1000)
}

// NewCredentials makes fresh identifiers, secrets, RSA-2048 keys and a platform certificate valid for five years
// around now. It takes some tenths of a second.
func NewCredentials(now time.Time) (Credentials, error) {
	var c Credentials
	for _, app := range []*AppOptions{&c.MiniProgram, &c.OfficialAccount} {
		stem := appIDMarker + randomHex(3)
		*app = AppOptions{AppID: stem + markerSum(stem)[:4], Secret: randomHex(16)}
	}
	c.CompletePush()
	n, err := rand.Int(rand.Reader, big.NewInt(1000))
	if err != nil {
		return c, err
	}
	stem := fmt.Sprintf("%s%03d", mchIDMarker, n.Int64())
	c.MchID = stem + mchSum(stem)
	c.APIv3Key = randomHex(16)
	c.MerchantSerial = strings.ToUpper(randomHex(20))
	c.PlatformPublicKeyID = "PUB_KEY_ID_0" + c.MchID + strings.ToUpper(randomHex(8))
	if c.MerchantPrivateKeyPEM, c.MerchantPublicKeyPEM, _, err = newRSA(); err != nil {
		return c, err
	}
	if c.PlatformPrivateKeyPEM, c.PlatformPublicKeyPEM, _, err = newRSA(); err != nil {
		return c, err
	}
	var certKey *rsa.PrivateKey
	if c.PlatformCertKeyPEM, _, certKey, err = newRSA(); err != nil {
		return c, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 158))
	if err != nil {
		return c, err
	}
	tpl := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Tenpay.com sandbox sign", Organization: []string{"Liangche sandbox"}, Country: []string{"CN"}},
		NotBefore:    now.Add(-24 * time.Hour), NotAfter: now.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &certKey.PublicKey, certKey)
	if err != nil {
		return c, fmt.Errorf("wxsandbox: platform certificate: %w", err)
	}
	c.PlatformCertificatePEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	c.PlatformCertificateSerial = strings.ToUpper(serial.Text(16))
	return c, nil
}

func newRSA() (private, public string, key *rsa.PrivateKey, err error) {
	if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return "", "", nil, err
	}
	priv, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", nil, err
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", nil, err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})), key, nil
}

func parsePrivate(text string) (*rsa.PrivateKey, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, errors.New("wxsandbox: no PEM private key")
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("wxsandbox: not an RSA private key")
	}
	return key, nil
}

func parsePublic(text string) (*rsa.PublicKey, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, errors.New("wxsandbox: no PEM public key")
	}
	k, err := x509.ParsePKIXPublicKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("wxsandbox: not an RSA public key")
	}
	return key, nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b)
}

func parseCertificate(text string) (*x509.Certificate, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, errors.New("wxsandbox: no PEM certificate")
	}
	return x509.ParseCertificate(b.Bytes)
}
