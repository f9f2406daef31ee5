package main

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net/http"
)

const (
	firstPause = 500 * time.Millisecond
	// longestPause is the longest between two tries, also if a server asks for more: then the
	// page is given up.
	longestPause = time.Minute
)

// pauseAfter returns how long to wait after a failed try before the next one, and whether that
// makes sense. wait is the answer's Retry-After (RFC 9110 section 10.2.3).
func pauseAfter(err error, tries int, wait string) (pause time.Duration, again bool) {
	if !passes(err) {
		return 0, false
	}
	if asked, ok := retryAfter(wait, time.Now()); ok {
		return asked, asked <= longestPause
	}
	pause = longestPause
	if tries < 8 {
		pause = min(pause, firstPause<<(tries-1))
	}
	// Not all at once, as they failed.
	return pause/2 + rand.N(pause/2+1), true
}

// passes reports whether an error may be another one next time, or none.
func passes(err error) bool {
	if status, ok := errors.AsType[statusError](err); ok {
		switch status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*stdnet.DNSError](err); ok {
		return !e.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*saveError](err); ok {
		return false
	}
	return !errors.Is(err, errTooLarge) && !errors.Is(err, context.Canceled)
}

// retryAfter reads a Retry-After: seconds, or a time.
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if when, err := http.ParseTime(text); err == nil {
		return max(when.Sub(now), 0), true
	}
	return 0, false
}
