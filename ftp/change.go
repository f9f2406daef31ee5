package ftp

import (
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ParseTimed parses the argument of MFMT, and of MDTM that sets: a time, a space and
// a path (draft-somers-ftp-mfxx). Errors are ErrTime and ErrMissingArg.
func ParseTimed(arg string) (t time.Time, path string, err error) {
	when, path, _ := strings.Cut(arg, " ")
	t, err = ParseTime(when)
	if err == nil && path == "" {
		err = ErrMissingArg
	}
	return t, path, err
}

// Changes are what MFF sets (draft-somers-ftp-mfxx).
type Changes struct {
	ModTime time.Time   // the zero Time: not set
	Mode    fs.FileMode // permission bits
	HasMode bool
	Text    string // as they were written, "Modify=…;UNIX.mode=…;"
}

// ParseChanges parses the argument of MFF: facts, a space and a path. Errors are
// ErrParam for a fact that can't be set, ErrTime, ErrParamSyntax and ErrMissingArg.
func ParseChanges(arg string) (c Changes, path string, err error) {
	facts, path, _ := strings.Cut(arg, " ")
	if path == "" {
		return c, "", ErrMissingArg
	}
	list, ended := strings.CutSuffix(facts, ";")
	if !ended || list == "" {
		return c, "", ErrParamSyntax
	}
	c.Text = facts
	for fact := range strings.SplitSeq(list, ";") {
		name, value, ok := strings.Cut(fact, "=")
		if !ok {
			return c, "", ErrParamSyntax
		}
		switch strings.ToLower(name) {
		case "modify":
			c.ModTime, err = ParseTime(value)
		case "unix.mode":
			c.Mode, err = ParsePermissions(value)
			c.HasMode = true
		default:
			err = ErrParam
		}
		if err != nil {
			return c, "", err
		}
	}
	return c, path, nil
}

// ParsePermissions parses the nine permission bits in octal, "640" or "0640". The
// error is ErrParamSyntax.
func ParsePermissions(s string) (fs.FileMode, error) {
	bits, err := strconv.ParseUint(s, 8, 16)
	if err != nil || bits > 0o777 || strings.ContainsAny(s, "+-_") {
		return 0, ErrParamSyntax
	}
	return fs.FileMode(bits), nil
}

// ParseHost parses the argument of HOST (RFC 7151): a name, an IPv4 address, or an
// IPv6 address in brackets. It returns it in lower case, without a last point. The
// error is ErrParamSyntax.
func ParseHost(arg string) (string, error) {
	if inner, ok := strings.CutPrefix(arg, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		if !ok || err != nil || !a.Is6() || a.Zone() != "" {
			return "", ErrParamSyntax
		}
		return strings.ToLower(arg), nil
	}
	host := strings.TrimSuffix(arg, ".")
	if len(host) > 253 {
		return "", ErrParamSyntax
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" {
			return "", ErrParamSyntax
		}
		for i := range len(label) {
			if b := label[i]; !isLetter(b) && !isDigit(b) && b != '-' && b != '_' {
				return "", ErrParamSyntax
			}
		}
	}
	return strings.ToLower(host), nil
}
