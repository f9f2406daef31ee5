package ftp

import (
	"errors"
	"path"
	"strings"
)

// MaxPath is the longest virtual path in bytes.
const MaxPath = 4096

var (
	// ErrPathByte is a path with a NUL byte in it.
	ErrPathByte = &SyntaxError{CodeBadArgument, "Illegal byte in pathname."}
	// ErrPathTooLong is a path of more than MaxPath bytes, as given or once
	// resolved.
	ErrPathTooLong = &SyntaxError{CodeBadName, "Pathname too long."}
	// ErrNoPath is a 257 reply without a quoted path.
	ErrNoPath = errors.New("ftp: no quoted pathname in reply")
)

// Resolve returns the virtual path arg stands for in the directory cwd: always
// absolute and clean, with '/' between names and never a "." or "..", which at
// the root stays there. It looks at bytes alone: no file system is asked, '\'
// and every other byte are part of names, "~" and "*" mean nothing. An empty
// arg is cwd.
//
// This is the only resolver: a server resolves once, and everything below gets
// the result. Errors are ErrPathByte and ErrPathTooLong.
func Resolve(cwd, arg string) (string, error) {
	if len(arg) > MaxPath || len(cwd) > MaxPath {
		return "", ErrPathTooLong
	}
	if strings.IndexByte(arg, 0) >= 0 || strings.IndexByte(cwd, 0) >= 0 {
		return "", ErrPathByte
	}
	// The slash in front makes the path rooted, and path.Clean drops ".." at
	// a root.
	var p string
	switch {
	case strings.HasPrefix(arg, "/"):
		p = path.Clean(arg)
	case strings.HasPrefix(cwd, "/"):
		p = path.Clean(cwd + "/" + arg)
	default:
		p = path.Clean("/" + cwd + "/" + arg)
	}
	if len(p) > MaxPath {
		return "", ErrPathTooLong
	}
	return p, nil
}

// Quote returns a path as a 257 reply shows it: in quotes, with a quote inside
// doubled (RFC 959 appendix II).
func Quote(p string) string {
	return `"` + strings.ReplaceAll(p, `"`, `""`) + `"`
}

// Unquote returns the path in the text of a 257 reply, which may have other
// text before and after. The error is ErrNoPath, also for a path whose closing
// quote is missing.
func Unquote(text string) (string, error) {
	_, text, ok := strings.Cut(text, `"`)
	if !ok {
		return "", ErrNoPath
	}
	var b strings.Builder
	for {
		part, rest, ok := strings.Cut(text, `"`)
		if !ok {
			return "", ErrNoPath
		}
		b.WriteString(part)
		if !strings.HasPrefix(rest, `"`) {
			return b.String(), nil
		}
		b.WriteByte('"')
		text = rest[1:]
	}
}
