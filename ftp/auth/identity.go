package auth

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxUserName = 64
	maxHome     = 4096
)

// checkName refuses names that are not safe in a log, a path or a users file (FIELD B23). Errors do
// not repeat the name.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > maxUserName:
		return fmt.Errorf("the name is longer than %d bytes", maxUserName)
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8")
	case name == "." || name == ".." || strings.ContainsAny(name, `:/\`):
		return errors.New("the name is like a path or contains a colon")
	case strings.HasPrefix(name, "#"):
		return errors.New("the name begins with #")
	case strings.TrimSpace(name) != name:
		return errors.New("the name begins or ends with a space")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the name contains a character that cannot be printed")
	}
	return nil
}

// parseHome turns a home as written into a clean absolute virtual path. It does not resolve "..":
// whoever writes it means something we cannot know.
func parseHome(home string) (string, error) {
	switch {
	case home == "":
		return "", errors.New("the home is empty: / is the whole root")
	case len(home) > maxHome:
		return "", fmt.Errorf("the home is longer than %d bytes", maxHome)
	case strings.ContainsFunc(home, unicode.IsControl):
		return "", errors.New("the home contains a control character")
	}
	for name := range strings.SplitSeq(home, "/") {
		if name == ".." {
			return "", errors.New(`the home contains ".."`)
		}
	}
	return path.Clean("/" + home), nil
}
