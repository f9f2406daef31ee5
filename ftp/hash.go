package ftp

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"strings"
)

// Hash is an algorithm of HASH (draft-bryan-ftpext-hash). The zero value is the one
// that a session begins with.
type Hash uint8

// The algorithms. The last three protect from accidents only.
const (
	HashSHA256 Hash = iota
	HashSHA512
	HashSHA1
	HashMD5
	HashCRC32
)

var hashes = [...]struct {
	name string
	make func() hash.Hash
}{
	HashSHA256: {"SHA-256", sha256.New},
	HashSHA512: {"SHA-512", sha512.New},
	HashSHA1:   {"SHA-1", sha1.New},
	HashMD5:    {"MD5", md5.New},
	HashCRC32:  {"CRC32", func() hash.Hash { return crc32.NewIEEE() }},
}

// ParseHash parses an algorithm's name, in any case. The error is ErrParam.
func ParseHash(name string) (Hash, error) {
	for h, known := range hashes {
		if strings.EqualFold(name, known.name) {
			return Hash(h), nil
		}
	}
	return 0, ErrParam
}

// String returns the name.
func (h Hash) String() string { return hashes[h].name }

// New returns a new computation.
func (h Hash) New() hash.Hash { return hashes[h].make() }

// Feat returns all names for FEAT, with a star behind h's.
func (h Hash) Feat() string {
	var names []string
	for other, known := range hashes {
		name := known.name
		if Hash(other) == h {
			name += "*"
		}
		names = append(names, name)
	}
	return strings.Join(names, ";")
}
