package auth

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	// maxBcrypt is how many bytes of a password bcrypt looks at.
	maxBcrypt = 72
	// A cost of 15 takes seconds, and each step up doubles it: 31 takes days.
	minBcryptCost, maxBcryptCost = 4, 15
	// "$2b$", two digits, "$", 22 characters of salt and 31 of hash.
	bcryptLen = 60

	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

type bcryptHash string

func parseBcrypt(s string) (scheme, error) {
	if len(s) != bcryptLen {
		return nil, fmt.Errorf("bcrypt hash: %d characters, want %d", len(s), bcryptLen)
	}
	// $2x$ marks hashes of a broken implementation, $2$ those that ignored the length.
	if !strings.ContainsRune("aby", rune(s[2])) || s[3] != '$' || s[6] != '$' {
		return nil, errors.New("bcrypt hash: want $2a$, $2b$ or $2y$ and a cost of two digits")
	}
	cost, err := number(s[4:6], true)
	if err != nil || cost < minBcryptCost || cost > maxBcryptCost {
		return nil, fmt.Errorf("bcrypt hash: the cost is not between %02d and %d", minBcryptCost, maxBcryptCost)
	}
	if strings.ContainsFunc(s[7:], notBcrypt) {
		return nil, errors.New("bcrypt hash: not bcrypt's base 64")
	}
	return bcryptHash(s), nil
}

func notBcrypt(r rune) bool { return !strings.ContainsRune(bcryptAlphabet, r) }

func (b bcryptHash) match(password string) bool {
	fits := len(password) <= maxBcrypt
	if !fits {
		password = password[:maxBcrypt]
	}
	return bcrypt.CompareHashAndPassword([]byte(b), []byte(password)) == nil && fits
}
