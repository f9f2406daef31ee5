package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/storage"
)

// siteHandlers has one handler for each row of ftp.SiteCommands. It is filled by
// init as handlers is.
var siteHandlers map[string]handler

func init() {
	siteHandlers = map[string]handler{
		"CHMOD":   (*session).siteCHMOD,
		"UTIME":   (*session).siteUTIME,
		"UMASK":   (*session).siteUMASK,
		"IDLE":    (*session).siteIDLE,
		"QUOTA":   (*session).siteQUOTA,
		"SYMLINK": (*session).siteSYMLINK,
		"MKDIR":   (*session).cmdMKD,
		"RMDIR":   (*session).cmdRMD,
		"CPFR":    (*session).siteCPFR,
		"CPTO":    (*session).siteCPTO,
		"HELP":    (*session).siteHELP,
	}
}

// cmdSITE checks one of SITE's commands against its row and carries it out. The
// source of CPFR is for the very next command.
func (s *session) cmdSITE(arg string) (reply, error) {
	verb, rest, _ := strings.Cut(arg, " ")
	row, ok := ftp.LookupSite(verb)
	if !ok {
		return reply{}, errNoSite
	}
	if err := row.Check(rest); err != nil {
		return reply{}, err
	}
	if row.Perm != ftp.PermNone && !s.rights().Has(row.Perm) {
		return reply{}, errNoPermission
	}
	if row.Verb != "CPTO" {
		s.copied = ""
	}
	return siteHandlers[row.Verb](s, rest)
}

func (s *session) siteHELP(arg string) (reply, error) {
	if arg == "" {
		return answer(ftp.CodeHelp, ftp.SiteHelpLines()...), nil
	}
	row, ok := ftp.LookupSite(arg)
	if !ok {
		return reply{}, errNoHelp
	}
	return answer(ftp.CodeHelp, row.Help()), nil
}

// modeAndPath parses "640 path".
func modeAndPath(arg string) (fs.FileMode, string, error) {
	mode, path, _ := strings.Cut(arg, " ")
	perm, err := ftp.ParsePermissions(mode)
	if err == nil && path == "" {
		err = ftp.ErrMissingArg
	}
	return perm, path, err
}

func (s *session) siteCHMOD(arg string) (reply, error) {
	perm, name, err := modeAndPath(arg)
	if err != nil {
		return reply{}, err
	}
	path, err := s.resolve(name)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().chmod(path, perm); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeOK, fmt.Sprintf("Permissions are %04o.", perm)), nil
}

// siteUTIME takes both forms in use: a time and a path; and a path, three times
// (access, modification, creation) and "UTC", of which the second one counts.
func (s *session) siteUTIME(arg string) (reply, error) {
	mtime, name, err := utime(arg)
	if err != nil {
		return reply{}, err
	}
	path, err := s.resolve(name)
	if err != nil {
		return reply{}, err
	}
	if err := s.store().chtimes(path, mtime); err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeOK, "Modification time is set."), nil
}

func utime(arg string) (time.Time, string, error) {
	fields := strings.Split(arg, " ")
	if n := len(fields); n >= 5 && strings.EqualFold(fields[n-1], "UTC") {
		mtime, err := ftp.ParseTime(fields[n-3])
		return mtime, strings.Join(fields[:n-4], " "), err
	}
	when, name, _ := strings.Cut(arg, " ")
	if len(when) == len("YYYYMMDDhhmm") {
		when += "00"
	}
	return ftp.ParseTimed(when + " " + name)
}

// siteUMASK tells or sets the permission bits that new files and directories of the
// session do not get, besides those that the server takes away. It never gives any.
func (s *session) siteUMASK(arg string) (reply, error) {
	if arg != "" {
		mask, err := ftp.ParsePermissions(arg)
		if err != nil {
			return reply{}, err
		}
		s.umask = mask
	}
	return answer(ftp.CodeOK, fmt.Sprintf("The umask is %03o, besides that of the server.", s.umask)), nil
}

// limits says what uploads of this session may make.
func (s *session) limits() limits { return limits{mask: s.umask, size: s.cfg.MaxFileSize} }

// siteIDLE tells or sets the idle timeout of the session.
func (s *session) siteIDLE(arg string) (reply, error) {
	if arg != "" {
		seconds, err := strconv.ParseUint(arg, 10, 31)
		if err != nil || seconds == 0 {
			return reply{}, ftp.ErrNumber
		}
		s.idle = min(time.Duration(seconds)*time.Second, s.cfg.MaxIdleTimeout)
	}
	return answer(ftp.CodeOK, fmt.Sprintf("Idle timeout is %d seconds.", int64(s.idle.Seconds()))), nil
}

// siteQUOTA tells what the user's tree holds, and may hold.
func (s *session) siteQUOTA(string) (reply, error) {
	used, max, err := s.store().usage()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return answer(ftp.CodeOK, "You have no quota."), nil
	case err != nil:
		return reply{}, err
	}
	return answer(ftp.CodeOK, fmt.Sprintf("You use %s bytes and %s files.", ofLimit(used.Bytes, max.Bytes), ofLimit(used.Files, max.Files))), nil
}

func ofLimit(used, max int64) string {
	if max == 0 {
		return strconv.FormatInt(used, 10)
	}
	return fmt.Sprintf("%d of %d", used, max)
}

// siteSYMLINK makes a link to a path of the tree, if the server allows that. The
// link is relative, so that it leads to the same file for everybody.
func (s *session) siteSYMLINK(arg string) (reply, error) {
	if !s.cfg.AllowSymlink {
		return reply{}, errUnserved
	}
	target, name, ok := strings.Cut(arg, " ")
	if !ok {
		return reply{}, ftp.ErrMissingArg
	}
	to, err := s.resolve(target)
	if err != nil {
		return reply{}, err
	}
	path, err := s.resolve(name)
	if err != nil {
		return reply{}, err
	}
	err = s.store().symlink(relative(path, to), path)
	if errors.Is(err, errors.ErrUnsupported) {
		return reply{}, errUnserved
	}
	if err != nil {
		return reply{}, err
	}
	return answer(ftp.CodeOK, "Link made."), nil
}

// relative returns the way from the directory of one path to another.
func relative(from, to string) string {
	up := strings.Split(strings.Trim(from, "/"), "/")
	down := strings.Split(strings.Trim(to, "/"), "/")
	up = up[:len(up)-1]
	for len(up) > 0 && len(down) > 1 && up[0] == down[0] {
		up, down = up[1:], down[1:]
	}
	way := strings.Repeat("../", len(up)) + strings.Join(down, "/")
	if way == "" {
		return "."
	}
	return way
}

// siteCPFR and siteCPTO copy a file within the server, with the rights that RETR and
// STOR want.
func (s *session) siteCPFR(arg string) (reply, error) {
	path, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	e, err := s.store().stat(path)
	if err != nil {
		return reply{}, err
	}
	if !e.IsRegular() {
		return reply{}, errNotAFile
	}
	s.copied = path
	return answer(ftp.CodePending, "Ready for CPTO."), nil
}

func (s *session) siteCPTO(arg string) (reply, error) {
	from := s.copied
	s.copied = ""
	if from == "" {
		return reply{}, errNeedCPFR
	}
	to, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	src, err := s.store().open(from, 0, 0)
	if err != nil {
		return reply{}, err
	}
	defer src.close()
	// By whatever name: where uploads are not atomic the first byte would cut it off.
	if e, err := s.store().stat(to); from == to || err == nil && src.is(e) {
		return reply{}, errSameFile
	}
	dst, err := s.store().create(to, storage.WriteReplace, 0, s.limits())
	if err != nil {
		return reply{}, err
	}
	done := false
	defer func() {
		if !done {
			_ = dst.abort() // what remains is for the store to say
		}
	}()
	err = s.work("SITE CPTO "+to, func(t *transfer) error {
		b := takeLarge()
		defer b.put()
		for {
			n, err := src.moveTo(dst, b.bytes)
			t.moved.Add(n)
			if err == io.EOF {
				return dst.commit()
			}
			if err != nil {
				return err
			}
			if cause := t.aborted(); cause != nil {
				return cause
			}
		}
	})
	if err != nil {
		return reply{}, err
	}
	done = true
	return answer(ftp.CodeFileOK, "Copied."), nil
}
