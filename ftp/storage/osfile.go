package storage

import "os"

// osFile is a file of an OSRoot open for reading. It exists to keep server paths out of errors.
type osFile struct {
	f    *os.File
	root *OSRoot
	path string
}

var _ OSFiler = (*osFile)(nil)

// Open implements [FS]. The File is an [OSFiler].
func (r *OSRoot) Open(path string) (File, error) {
	if err := check(path); err != nil {
		return nil, pathError("open", path, err)
	}
	f, err := openRegular(r.root, rel(path), os.O_RDONLY)
	if err != nil {
		return nil, r.fail("open", path, err)
	}
	return &osFile{f: f, root: r, path: path}, nil
}

func (o *osFile) OSFile() *os.File { return o.f }

func (o *osFile) Read(p []byte) (int, error) {
	n, err := o.f.Read(p)
	return n, Translate("read", o.path, err)
}

func (o *osFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := o.f.ReadAt(p, off)
	return n, Translate("read", o.path, err)
}

func (o *osFile) Seek(offset int64, whence int) (int64, error) {
	n, err := o.f.Seek(offset, whence)
	return n, Translate("seek", o.path, err)
}

func (o *osFile) Stat() (Entry, error) {
	info, err := o.f.Stat()
	if err != nil {
		return Entry{}, Translate("stat", o.path, err)
	}
	_, name := split(o.path)
	return o.root.entry(name, info), nil
}

func (o *osFile) Close() error { return Translate("close", o.path, o.f.Close()) }
