package server

import "sync"

// Transfers copy by way of pooled buffers. One begins with a small buffer and
// gets a large one when its reads fill the small: thousands of slow transfers
// must not need a large one each.
const (
	smallBuffer = 32 << 10
	largeBuffer = 256 << 10
)

// A buffer belongs to a transfer until it is put back.
type buffer struct{ bytes []byte }

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer)} }}
)

func takeSmall() *buffer { return smallBuffers.Get().(*buffer) }

func takeLarge() *buffer { return largeBuffers.Get().(*buffer) }

// put gives b back.
func (b *buffer) put() {
	if len(b.bytes) == smallBuffer {
		smallBuffers.Put(b)
	} else {
		largeBuffers.Put(b)
	}
}

// grown returns the buffer to use after one that was filled.
func (b *buffer) grown() *buffer {
	if len(b.bytes) == largeBuffer {
		return b
	}
	b.put()
	return takeLarge()
}
