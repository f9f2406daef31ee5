package ring

import (
	"os"
	goruntime "runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Words is how many words a ring has for its users' own purposes.
const Words = 256

// shared is the first page of the memory, before the ring. Each field has a cache
// line to itself.
type shared struct {
	tail         atomic.Uint64 // bytes written; the writer's
	_            [56]byte
	head         atomic.Uint64 // bytes read; the reader's
	_            [56]byte
	readerSleeps atomic.Uint32 // set by the reader, cleared by who rings for it
	_            [60]byte
	writerSleeps atomic.Uint32
	_            [60]byte
	readerGone   atomic.Uint32 // closed in an orderly way
	writerGone   atomic.Uint32
	drop         atomic.Uint32 // the fragments written last are to be dropped; the writer's
	_            [52]byte

	words [Words]atomic.Uint64
}

// memory is a mapping of shared memory: shared, then the ring, then the ring again,
// so that no message is ever in two pieces.
type memory struct {
	*shared
	page *Page
	data []byte // the ring, twice
	base unsafe.Pointer
}

// headLen is the length of what comes before the ring: whole pages.
var headLen = (int(unsafe.Sizeof(shared{})) + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1)

// newMemory returns the descriptor of new shared memory. Its size is sealed: a
// process that has it mapped cannot lose pages of it.
func newMemory() (int, error) {
	fd, err := unix.MemfdCreate("weft ring", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	if err := unix.Ftruncate(fd, int64(headLen+size)); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("ftruncate", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
}

// mapMemory maps the memory fd.
func mapMemory(fd int) (*memory, error) {
	total := uintptr(headLen + 2*size)
	base, err := unix.MmapPtr(-1, 0, nil, total, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	m := &memory{base: base}
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_FIXED
	_, err = unix.MmapPtr(fd, 0, base, uintptr(headLen+size), prot, flags)
	if err == nil {
		_, err = unix.MmapPtr(fd, int64(headLen), unsafe.Add(base, headLen+size), size, prot, flags)
	}
	if err != nil {
		m.unmap()
		return nil, os.NewSyscallError("mmap", err)
	}
	// SAFETY: the mapping is that long, and stays until unmap, which callers
	// exclude while they use it. It is no memory of Go's: the collector does not
	// look at it.
	m.shared = (*shared)(base)
	if m.page, err = mapPage(fd); err != nil {
		m.unmap()
		return nil, err
	}
	m.data = unsafe.Slice((*byte)(unsafe.Add(base, headLen)), 2*size)
	return m, nil
}

// A Page has the words that processes share for their users' own purposes. It is
// mapped by itself, and for as long as anybody has it, so it may be used after the end
// of the ring.
type Page struct{ shared *shared }

func mapPage(fd int) (*Page, error) {
	base, err := unix.MmapPtr(fd, 0, nil, uintptr(headLen), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	p := &Page{shared: (*shared)(base)}
	// SAFETY: nobody has p any more, and the methods keep it while they use the mapping.
	goruntime.AddCleanup(p, func(base unsafe.Pointer) { _ = unix.MunmapPtr(base, uintptr(headLen)) }, base)
	return p, nil
}

// Load returns word i.
func (p *Page) Load(i int) uint64 {
	v := p.shared.words[i].Load()
	goruntime.KeepAlive(p)
	return v
}

// Store sets word i.
func (p *Page) Store(i int, v uint64) {
	p.shared.words[i].Store(v)
	goruntime.KeepAlive(p)
}

// CompareAndSwap sets word i to v if it is old.
func (p *Page) CompareAndSwap(i int, old, v uint64) bool {
	swapped := p.shared.words[i].CompareAndSwap(old, v)
	goruntime.KeepAlive(p)
	return swapped
}

func (m *memory) unmap() {
	_ = unix.MunmapPtr(m.base, uintptr(headLen+2*size))
	m.shared, m.data = nil, nil
}

// at returns the memory from position pos of the stream on, at least size bytes.
func (m *memory) at(pos uint64) []byte { return m.data[pos&(size-1):] }
