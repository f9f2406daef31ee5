package ftp

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// Facts is a set of the facts MLST and MLSD can tell of a file (RFC 3659
// section 7.5).
type Facts uint16

// The facts, in the order they are printed.
const (
	FactType Facts = 1 << iota
	FactSize
	FactModify
	FactPerm
	FactUnique
	FactUnixMode
	FactUnixOwner
	FactUnixGroup
)

const (
	// AllFacts are all facts.
	AllFacts Facts = 1<<len(factNames) - 1
	// DefaultFacts are those of a session that sent no OPTS MLST.
	DefaultFacts = AllFacts
)

// factNames is in the order of the bits. Case does not count when read.
var factNames = [...]string{
	"type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group",
}

// String returns the names of the facts, each with a semicolon behind.
func (f Facts) String() string {
	var b strings.Builder
	for i, name := range factNames {
		if f&(1<<i) != 0 {
			b.WriteString(name)
			b.WriteByte(';')
		}
	}
	return b.String()
}

// Feat returns all facts as FEAT lists them, those of f marked with a star
// (RFC 3659 section 7.8).
func (f Facts) Feat() string {
	var b strings.Builder
	for i, name := range factNames {
		b.WriteString(name)
		if f&(1<<i) != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// ParseFacts parses the argument of OPTS MLST, names with a semicolon behind
// each (RFC 3659 section 7.9). Unknown names are left out and nothing is an
// error; an empty set is a legal choice.
func ParseFacts(list string) Facts {
	var f Facts
	for name := range strings.SplitSeq(list, ";") {
		f |= factByName(strings.TrimSpace(name))
	}
	return f
}

// OptsMLST returns the text of the 200 reply to OPTS MLST that selected f.
func (f Facts) OptsMLST() string {
	if f &= AllFacts; f == 0 {
		return "MLST OPTS"
	}
	return "MLST OPTS " + f.String()
}

func factByName(name string) Facts {
	for i, known := range factNames {
		if strings.EqualFold(known, name) {
			return 1 << i
		}
	}
	return 0
}

// AppendFacts appends the facts of e that are in f and known, each as
// "name=value;". Values hold only the characters RFC 3659 section 7.2 allows,
// so that no name of an owner or a link can forge a fact: in an owner any other
// byte becomes '_', a link's target is left out.
func AppendFacts(dst []byte, e *Entry, f Facts) []byte {
	if f&FactType != 0 {
		dst = append(dst, "type="...)
		dst = appendType(dst, e)
		dst = append(dst, ';')
	}
	if f&FactSize != 0 && e.Mode.IsRegular() {
		dst = append(dst, "size="...)
		dst = strconv.AppendInt(dst, max(e.Size, 0), 10)
		dst = append(dst, ';')
	}
	if f&FactModify != 0 && !e.ModTime.IsZero() {
		dst = append(dst, "modify="...)
		dst = AppendTime(dst, e.ModTime)
		dst = append(dst, ';')
	}
	if f&FactPerm != 0 {
		dst = append(dst, "perm="...)
		dst = appendPerm(dst, e)
		dst = append(dst, ';')
	}
	if f&FactUnique != 0 {
		dst = appendUnique(dst, e)
	}
	if f&FactUnixMode != 0 {
		dst = append(dst, "UNIX.mode=0"...)
		dst = appendOctal(dst, e.Mode)
		dst = append(dst, ';')
	}
	if f&FactUnixOwner != 0 {
		dst = appendOwnerFact(append(dst, "UNIX.owner="...), e.Owner, e.UID)
	}
	if f&FactUnixGroup != 0 {
		dst = appendOwnerFact(append(dst, "UNIX.group="...), e.Group, e.GID)
	}
	return dst
}

// AppendMLSD appends the line of MLSD for e: facts, space, name, CRLF. A name
// that is not Speakable appends nothing.
func AppendMLSD(dst []byte, e *Entry, f Facts) []byte {
	if !Speakable(e.Name) {
		return dst
	}
	dst = AppendFacts(dst, e, f)
	dst = append(dst, ' ')
	dst = append(dst, e.Name...)
	return append(dst, '\r', '\n')
}

// MLSTLine returns the middle line of the 250 reply to MLST: one space, facts,
// space, path, for AppendReply.
func MLSTLine(e *Entry, path string, f Facts) string {
	dst := append(make([]byte, 0, 160+len(path)), ' ')
	dst = AppendFacts(dst, e, f)
	dst = append(dst, ' ')
	return string(append(dst, path...))
}

func appendType(dst []byte, e *Entry) []byte {
	switch m := e.Mode; {
	case e.Kind == KindCurrent:
		return append(dst, "cdir"...)
	case e.Kind == KindParent:
		return append(dst, "pdir"...)
	case m.IsDir():
		return append(dst, "dir"...)
	case m.IsRegular():
		return append(dst, "file"...)
	case m&fs.ModeSymlink != 0:
		dst = append(dst, "OS.unix=slink"...)
		if e.LinkTarget != "" && isFactValue(e.LinkTarget) {
			dst = append(dst, ':')
			dst = append(dst, e.LinkTarget...)
		}
		return dst
	}
	for _, t := range osTypes {
		if e.Mode.Type() == t.mode {
			return append(append(dst, "OS.unix="...), t.name...)
		}
	}
	return append(dst, "OS.unix=other"...)
}

// osTypes are the types RFC 3659 leaves to the operating system.
var osTypes = [...]struct {
	mode fs.FileMode
	name string
}{
	{fs.ModeNamedPipe, "pipe"},
	{fs.ModeSocket, "socket"},
	{fs.ModeDevice | fs.ModeCharDevice, "chr"},
	{fs.ModeDevice, "blk"},
}

// permLetters are the letters of the perm fact for a file and for a directory,
// 0 for none (RFC 3659 section 7.5.5). A directory also has 'e': CWD wants no
// right.
var permLetters = [...]struct {
	perm      Perm
	file, dir byte
}{
	{PermAppend, 'a', 0},
	{PermWrite, 0, 'c'},
	{PermDelete, 'd', 'p'},
	{PermRmdir, 0, 'd'},
	{PermRename, 'f', 'f'},
	{PermList, 0, 'l'},
	{PermMkdir, 0, 'm'},
	{PermRead, 'r', 0},
	{PermWrite, 'w', 0},
}

func appendPerm(dst []byte, e *Entry) []byte {
	dir := e.Mode.IsDir()
	// A pipe or device is never read or written. Where a link leads is not known.
	special := !dir && !e.Mode.IsRegular() && e.Mode&fs.ModeSymlink == 0
	if dir {
		dst = append(dst, 'e')
	}
	for _, l := range permLetters {
		letter := l.file
		if dir {
			letter = l.dir
		}
		if special && l.perm&(PermRead|PermWrite|PermAppend) != 0 {
			continue
		}
		if letter != 0 && e.Perm.Has(l.perm) {
			dst = append(dst, letter)
		}
	}
	return dst
}

func appendUnique(dst []byte, e *Entry) []byte {
	switch {
	case e.Unique != "" && isFactValue(e.Unique):
		dst = append(append(dst, "unique="...), e.Unique...)
	case e.Dev != 0 || e.Ino != 0:
		dst = strconv.AppendUint(append(dst, "unique="...), e.Dev, 16)
		dst = strconv.AppendUint(append(dst, 'g'), e.Ino, 16)
	default:
		return dst
	}
	return append(dst, ';')
}

// appendOctal appends the permission bits with those of the set-id and sticky
// flags, three digits or four.
func appendOctal(dst []byte, m fs.FileMode) []byte {
	bits := uint64(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	for shift := 6; shift > 0 && bits>>shift == 0; shift -= 3 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, bits, 8)
}

func appendOwnerFact(dst []byte, name string, id uint32) []byte {
	if name == "" {
		dst = strconv.AppendUint(dst, uint64(id), 10)
	}
	for i := range len(name) {
		b := name[i]
		if !isFactByte(b) {
			b = '_'
		}
		dst = append(dst, b)
	}
	return append(dst, ';')
}

// isFactByte reports whether b is an SCHAR of RFC 3659 section 7.2.
func isFactByte(b byte) bool {
	return isLetter(b) || isDigit(b) || strings.IndexByte("=,.:!@#$%^&()-_+?/\\'\"", b) >= 0
}

func isFactValue(s string) bool {
	for i := range len(s) {
		if !isFactByte(s[i]) {
			return false
		}
	}
	return true
}

// ErrBadEntry is a line that is no entry of MLSD or MLST.
var ErrBadEntry = errors.New("ftp: malformed directory entry")

// ParseMLSD parses a line of MLSD, without its end (RFC 3659 section 7.2), and
// tells which facts it had. A line that begins with a space has none.
//
// It is tolerant where servers are careless: names of facts in any case, no
// last semicolon, values that cannot be parsed count as missing, unknown facts
// are skipped, unknown types are fs.ModeIrregular. The name is the server's and
// may be anything, a path or ".." too: check before using it. The error is
// ErrBadEntry: a line without a name, or without facts and a space in front.
func ParseMLSD(line string) (Entry, Facts, error) {
	list, name, ok := strings.Cut(line, " ")
	if !ok || name == "" || list != "" && !strings.Contains(list, "=") {
		return Entry{}, 0, ErrBadEntry
	}
	e, have := parseFacts(list)
	e.Name = name
	return e, have, nil
}

// ParseMLST parses the middle line of the reply to MLST as ParseMLSD parses
// its lines. The spaces in front, of which there should be one, are skipped;
// what has no facts then is a path. The name of the entry is the path the server
// wrote.
func ParseMLST(line string) (Entry, Facts, error) {
	line = strings.TrimLeft(line, " ")
	list, name, ok := strings.Cut(line, " ")
	if !ok || strings.HasPrefix(line, "/") || !strings.Contains(list, "=") {
		list, name = "", line
	}
	if name == "" {
		return Entry{}, 0, ErrBadEntry
	}
	e, have := parseFacts(list)
	e.Name = name
	return e, have, nil
}

func parseFacts(list string) (Entry, Facts) {
	e := Entry{Mode: fs.ModeIrregular}
	var have Facts
	var perm string
	for fact := range strings.SplitSeq(list, ";") {
		key, value, _ := strings.Cut(fact, "=")
		f := factByName(key)
		ok := true
		switch f {
		case FactType:
			ok = e.setType(value)
		case FactSize:
			e.Size, ok = parseSize(value)
		case FactModify:
			t, err := ParseTime(value)
			e.ModTime, ok = t, err == nil
		case FactPerm:
			perm = value
		case FactUnique:
			e.Unique = value
		case FactUnixMode:
			ok = e.setOctal(value)
		case FactUnixOwner:
			e.Owner, e.UID = value, parseID(value)
		case FactUnixGroup:
			e.Group, e.GID = value, parseID(value)
		}
		if ok {
			have |= f
		}
	}
	// The letters mean different things for files and directories, and perm
	// may stand before type.
	e.Perm = parsePerm(perm, e.Mode.IsDir())
	return e, have
}

func (e *Entry) setType(value string) bool {
	kind := strings.ToLower(value)
	typ, rest, _ := strings.Cut(kind, "=")
	e.Kind, e.LinkTarget = KindPlain, ""
	keep := e.Mode &^ (fs.ModeType)
	switch {
	case kind == "file":
		e.Mode = keep
	case kind == "dir":
		e.Mode = keep | fs.ModeDir
	case kind == "cdir":
		e.Mode, e.Kind = keep|fs.ModeDir, KindCurrent
	case kind == "pdir":
		e.Mode, e.Kind = keep|fs.ModeDir, KindParent
	case typ == "os.unix" && (strings.HasPrefix(rest, "slink") || strings.HasPrefix(rest, "symlink")):
		e.Mode = keep | fs.ModeSymlink
		_, e.LinkTarget, _ = strings.Cut(value, ":")
	default:
		e.Mode = keep | fs.ModeIrregular
		for _, t := range osTypes {
			if typ == "os.unix" && (rest == t.name || strings.HasPrefix(rest, t.name+"-")) {
				e.Mode = keep | t.mode
			}
		}
	}
	return value != ""
}

func (e *Entry) setOctal(value string) bool {
	bits, err := strconv.ParseUint(value, 8, 16)
	if err != nil {
		return false
	}
	e.Mode = e.Mode.Type() | fs.FileMode(bits&0o777)
	if bits&0o4000 != 0 {
		e.Mode |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		e.Mode |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		e.Mode |= fs.ModeSticky
	}
	return true
}

func parsePerm(letters string, dir bool) Perm {
	var p Perm
	for i := range len(letters) {
		letter := letters[i] | 0x20
		for _, l := range permLetters {
			if letter == l.file && !dir || letter == l.dir && dir {
				p |= l.perm
			}
		}
	}
	return p
}

func parseSize(s string) (int64, bool) {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 {
		return 0, false
	}
	return v, true
}

// parseID returns the id a server wrote in place of a name, 0 for a name.
func parseID(s string) uint32 {
	v, _ := strconv.ParseUint(s, 10, 32)
	return uint32(v)
}
