package auth

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxLine bounds a line: the longest name, hash, home and permissions fit.
	maxLine = 8 << 10
	// maxLineErrors bounds how many mistakes are reported at once.
	maxLineErrors = 20
	// lockedHash in the place of a hash is an account that cannot log in.
	lockedHash = "*"
)

// LineError says what is wrong with one line of a users file. It never repeats the line, which may
// hold a password where a hash should be.
type LineError struct {
	File string
	Line int
	Err  error
}

// Error returns "file:line: reason".
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// parseUsers reads a users file to its end and reports all that is wrong with it.
func parseUsers(r io.Reader, file string) (*userSet, error) {
	set := &userSet{accounts: make(map[string]*account)}
	lines := make(map[string]int) // where each name is
	var bad []error
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for scanner.Scan() && len(bad) < maxLineErrors {
		n++
		line := scanner.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // editors put it there
		}
		acc, err := parseLine(string(line))
		if err == nil && acc != nil {
			if first, twice := lines[acc.id.Name]; twice {
				err = fmt.Errorf("user %q is on line %d already", acc.id.Name, first)
			}
		}
		if err != nil {
			bad = append(bad, &LineError{file, n, err})
		} else if acc != nil {
			lines[acc.id.Name] = n
			set.add(acc)
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		bad = append(bad, &LineError{file, n + 1, fmt.Errorf("the line is longer than %d bytes", maxLine)})
	case err != nil:
		bad = append(bad, fmt.Errorf("%s: %w", file, err))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return set, nil
}

func (s *userSet) add(acc *account) {
	s.accounts[acc.id.Name] = acc
	if !acc.locked {
		s.open = append(s.open, acc)
	}
}

// parseLine reads one line; nil, nil is a comment or blank. Errors say which field is wrong and do
// not repeat it.
func parseLine(line string) (*account, error) {
	line = strings.TrimSuffix(line, "\r")
	if blank := strings.TrimSpace(line); blank == "" || blank[0] == '#' {
		return nil, nil
	}
	fields := strings.Split(line, ":")
	if len(fields) != 4 && len(fields) != 5 {
		return nil, fmt.Errorf("%d fields, want 4 or 5: name:hash:home:permissions:quota", len(fields))
	}
	acc := &account{id: Identity{Name: fields[0]}}
	err := checkName(acc.id.Name)
	if err != nil {
		return nil, err
	}
	if fields[1] == lockedHash {
		acc.locked = true
	} else if acc.hash, err = ParseHash(fields[1]); err != nil {
		return nil, err
	}
	if acc.id.Home, err = parseHome(fields[2]); err != nil {
		return nil, err
	}
	if acc.id.Perms, err = ParsePermissions(fields[3]); err != nil {
		return nil, err
	}
	if len(fields) == 5 {
		if acc.id.MaxBytes, acc.id.MaxFiles, err = ParseQuota(fields[4]); err != nil {
			return nil, err
		}
	}
	return acc, nil
}
