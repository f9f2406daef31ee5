package auth

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var errQuota = errors.New("the quota is not bytes, or bytes,files: 10G or 500M,1000 or ,1000")

// ParseQuota reads what a home may hold: bytes, or bytes and files with a comma between them. Either
// may be left out, for no limit. Bytes may end in K, M, G or T, which are powers of 1024.
func ParseQuota(text string) (bytes, files int64, err error) {
	size, count, two := strings.Cut(text, ",")
	if text == "" || two && count == "" {
		return 0, 0, errQuota
	}
	shift := 0
	if i := strings.IndexByte("KMGT", last(size)); i >= 0 {
		size, shift = size[:len(size)-1], 10*(i+1)
	}
	if bytes, err = positive(size, math.MaxInt64>>shift, two && shift == 0); err != nil {
		return 0, 0, err
	}
	if files, err = positive(count, math.MaxInt64, !two); err != nil {
		return 0, 0, err
	}
	return bytes << shift, files, nil
}

func last(text string) byte {
	if text == "" {
		return 0
	}
	return text[len(text)-1]
}

// positive reads a number from 1 to max, or nothing for 0 if that is allowed.
func positive(text string, max int64, optional bool) (int64, error) {
	if text == "" && optional {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 || int64(n) > max {
		return 0, errQuota
	}
	return int64(n), nil
}
