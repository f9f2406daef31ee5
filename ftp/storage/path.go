package storage

import (
	"io/fs"
	"strings"
)

// TempPrefix begins every name that belongs to the store: unfinished uploads. Such names are not
// listed; reading one gives fs.ErrNotExist and making one ErrInvalidName.
const TempPrefix = ".weft-tmp-"

// Limits of a path. 255 is what nearly every file system allows for one element; 8 links is what os.Root
// follows.
const (
	maxName  = 255
	maxPath  = 4096
	maxLinks = 8
)

// reserved reports whether name belongs to the store. Case does not count, because some file
// systems ignore it and would let ".WEFT-TMP-x" reach the hidden file.
func reserved(name string) bool {
	return len(name) >= len(TempPrefix) && strings.EqualFold(name[:len(TempPrefix)], TempPrefix)
}

// check refuses a path that is not a clean absolute virtual path.
func check(path string) error {
	if path == "/" {
		return nil
	}
	if len(path) > maxPath || !strings.HasPrefix(path, "/") || strings.IndexByte(path, 0) >= 0 {
		return ErrInvalidName
	}
	hidden := false
	for name := range strings.SplitSeq(path[1:], "/") {
		switch {
		case name == "..":
			return ErrEscapes
		case name == "" || name == "." || len(name) > maxName:
			return ErrInvalidName
		}
		hidden = hidden || reserved(name)
	}
	if hidden {
		return fs.ErrNotExist
	}
	return nil
}

// checkNew is check for a path that is to be made.
func checkNew(path string) error {
	err := check(path)
	if err == fs.ErrNotExist {
		return ErrInvalidName
	}
	return err
}

// split returns the directory and the last element of a checked path: "/", "/" for the root.
func split(path string) (dir, name string) {
	if path == "/" {
		return "/", "/"
	}
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 1)], path[i+1:]
}

// within reports whether path is below dir. Both are checked paths.
func within(path, dir string) bool {
	return path != dir && (dir == "/" || strings.HasPrefix(path, dir+"/"))
}

// shownTarget returns the target of a link in directory dir as a client may see it. See
// Entry.LinkTarget.
func shownTarget(dir, target string) string {
	if strings.HasPrefix(target, "/") {
		return ""
	}
	depth := 0
	if dir != "/" {
		depth = strings.Count(dir, "/")
	}
	for name := range strings.SplitSeq(target, "/") {
		switch name {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return ""
		}
	}
	return target
}

// join returns the path of name in directory dir.
func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// checkCreate is what FS.Create refuses before looking at the tree.
func checkCreate(path string, mode WriteMode, offset int64) error {
	switch err := checkNew(path); {
	case err != nil:
		return err
	case path == "/":
		return ErrIsDir
	case mode > WriteExclusive || offset < 0 || offset > 0 && mode != WriteAt:
		return fs.ErrInvalid
	}
	return nil
}

// checkRename is what FS.Rename refuses before looking at the tree.
func checkRename(from, to string) error {
	if err := check(from); err != nil {
		return err
	}
	if err := checkNew(to); err != nil {
		return err
	}
	if from == "/" || to == "/" {
		return fs.ErrPermission
	}
	return nil
}

// checkChmod is what FS.Chmod refuses before looking at the tree. Set-id bits are not for clients to
// set, and the mode of the root belongs to the operator.
func checkChmod(path string, perm fs.FileMode) error {
	switch err := check(path); {
	case err != nil:
		return err
	case perm&^fs.ModePerm != 0:
		return fs.ErrInvalid
	case path == "/":
		return fs.ErrPermission
	}
	return nil
}
