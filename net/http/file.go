package http

import (
	"io/fs"
	"os"
	"syscall"

	stdhttp "net/http"

	"github.com/weft-go/weft/runtime"
)

// FileServer is the standard library's, with the files of root opened and read by
// runtime.Offload. What goes by a connection without TLS the kernel copies from them.
func FileServer(root FileSystem) Handler { return stdhttp.FileServer(offloaded{root}) }

// FileServerFS is FileServer for an fs.FS.
func FileServerFS(root fs.FS) Handler { return FileServer(FS(root)) }

// ServeFile is the standard library's own. It opens the file in the calling task:
// where that may take long, on a network's file system say, use FileServer.
func ServeFile(w ResponseWriter, r *Request, name string) { stdhttp.ServeFile(w, r, name) }

// ServeFileFS is the standard library's own. It reads the file in the calling task:
// see ServeFile.
func ServeFileFS(w ResponseWriter, r *Request, fsys fs.FS, name string) {
	stdhttp.ServeFileFS(w, r, fsys, name)
}

// offloaded is a FileSystem whose calls do not hold up the worker of the task that
// makes them.
type offloaded struct{ FileSystem }

func (o offloaded) Open(name string) (File, error) {
	f, err := shielded(func() (File, error) { return o.FileSystem.Open(name) })
	if err != nil {
		return nil, err
	}
	if osFile, ok := f.(*os.File); ok {
		return kernelFile{offloadedFile{f}, osFile}, nil
	}
	return offloadedFile{f}, nil
}

// shielded is runtime.Await for calls that must not go on alone.
func shielded[T any](fn func() (T, error)) (result T, err error) {
	if offload := runtime.OffloadShielded(func() { result, err = fn() }); offload != nil {
		return result, offload
	}
	return result, err
}

type offloadedFile struct{ f File }

func (o offloadedFile) Read(p []byte) (int, error) {
	return shielded(func() (int, error) { return o.f.Read(p) })
}

func (o offloadedFile) Seek(offset int64, whence int) (int64, error) {
	return shielded(func() (int64, error) { return o.f.Seek(offset, whence) })
}

func (o offloadedFile) Readdir(n int) ([]fs.FileInfo, error) {
	return shielded(func() ([]fs.FileInfo, error) { return o.f.Readdir(n) })
}

func (o offloadedFile) Stat() (fs.FileInfo, error) { return shielded(o.f.Stat) }

func (o offloadedFile) Close() error {
	_, err := shielded(func() (struct{}, error) { return struct{}{}, o.f.Close() })
	return err
}

// kernelFile is one of which the kernel can copy.
type kernelFile struct {
	offloadedFile
	file *os.File
}

func (k kernelFile) SyscallConn() (syscall.RawConn, error) { return k.file.SyscallConn() }
