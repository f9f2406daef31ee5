package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const argon2Prefix = "$argon2id$"

// What ParseHash allows. Memory is in KiB.
const (
	maxArgon2Memory = 256 << 10
	maxArgon2Time   = 16
	maxArgon2Lanes  = 16
	maxArgon2Work   = 1 << 20 // memory times time

	minSalt, maxSalt = 8, 64
	minKey, maxKey   = 16, 64

	// maxPassword bounds what is hashed for a login, before anybody is known.
	maxPassword = 1024
)

// standard is what HashPassword uses.
var standard = argon2Hash{memory: 19 << 10, time: 2, lanes: 1}

const standardSalt, standardKey = 16, 32

type argon2Hash struct {
	memory, time uint32
	lanes        uint8
	salt, key    []byte
}

// phc64 is the base 64 of PHC strings: no padding, no stray bits.
var phc64 = base64.RawStdEncoding.Strict()

var errArgon2 = errors.New("argon2id hash: want $argon2id$v=19$m=...,t=...,p=...$salt$key")

// parseArgon2 reads a PHC string. It takes one spelling of each hash only, the one encode prints.
func parseArgon2(s string) (scheme, error) {
	fields := strings.Split(strings.TrimPrefix(s, argon2Prefix), "$")
	if len(fields) != 4 {
		return nil, errArgon2
	}
	if fields[0] != "v=19" {
		return nil, errors.New("argon2id hash: the version is not 19")
	}
	params := strings.Split(fields[1], ",")
	if len(params) != 3 {
		return nil, errArgon2
	}
	var h argon2Hash
	for i, p := range []struct {
		name     string
		min, max uint32
		set      func(uint32)
	}{
		{"m=", 8, maxArgon2Memory, func(n uint32) { h.memory = n }},
		{"t=", 1, maxArgon2Time, func(n uint32) { h.time = n }},
		{"p=", 1, maxArgon2Lanes, func(n uint32) { h.lanes = uint8(n) }},
	} {
		digits, ok := strings.CutPrefix(params[i], p.name)
		if !ok {
			return nil, errArgon2
		}
		n, err := number(digits, false)
		if err != nil || n < p.min || n > p.max {
			return nil, fmt.Errorf("argon2id hash: %s is not between %d and %d", p.name[:1], p.min, p.max)
		}
		p.set(n)
	}
	if h.memory*h.time > maxArgon2Work {
		return nil, fmt.Errorf("argon2id hash: m times t is over %d KiB", maxArgon2Work)
	}
	if h.memory < 8*uint32(h.lanes) {
		return nil, errors.New("argon2id hash: m is less than 8 times p")
	}
	var err error
	if h.salt, err = phcBytes("salt", fields[2], minSalt, maxSalt); err != nil {
		return nil, err
	}
	if h.key, err = phcBytes("key", fields[3], minKey, maxKey); err != nil {
		return nil, err
	}
	return &h, nil
}

func phcBytes(what, s string, low, high int) ([]byte, error) {
	// base64 skips line feeds.
	if strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("argon2id hash: the %s is not base 64", what)
	}
	if n := phc64.DecodedLen(len(s)); n < low || n > high {
		return nil, fmt.Errorf("argon2id hash: the %s is not %d to %d bytes long", what, low, high)
	}
	b, err := phc64.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("argon2id hash: the %s is not base 64", what)
	}
	return b, nil
}

// number reads a decimal number of digits only; padded says whether it may begin with a zero.
func number(s string, padded bool) (uint32, error) {
	if s == "" || !padded && s[0] == '0' && s != "0" || strings.Trim(s, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

func (h *argon2Hash) encode() string {
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argon2Prefix, argon2.Version, h.memory, h.time, h.lanes,
		phc64.EncodeToString(h.salt), phc64.EncodeToString(h.key))
}

func (h *argon2Hash) derive(password string, size int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, uint32(size))
}

func (h *argon2Hash) match(password string) bool {
	fits := len(password) <= maxPassword
	if !fits {
		password = password[:maxPassword]
	}
	return subtle.ConstantTimeCompare(h.derive(password, len(h.key)), h.key) == 1 && fits
}

// HashPassword returns a hash for a users file: argon2id with m=19 MiB, t=2, p=1 and a fresh random
// salt. argon2id and not bcrypt because it has no 72 byte limit and costs an attacker memory; these
// parameters, OWASP's minimum, because FTP clients log in often and each login pays. An empty
// password or one over 1024 bytes is an error.
func HashPassword(password string) (string, error) {
	switch {
	case password == "":
		return "", errors.New("empty password")
	case len(password) > maxPassword:
		return "", fmt.Errorf("password is longer than %d bytes", maxPassword)
	}
	h := standard
	h.salt = make([]byte, standardSalt)
	_, _ = rand.Read(h.salt) // never fails
	h.key = h.derive(password, standardKey)
	return h.encode(), nil
}
