package process

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// list is the object behind List, Array and Value: encoded items.
type list struct {
	fixed bool // immutable: its length does not change

	mu      sync.Mutex // held for the time of one operation
	items   []listItem // mu guards this and the rest
	version uint64     // grows with each change
}

type listItem struct {
	value   []byte
	version uint64
}

// The requests begin with two numbers, i and j.
const (
	listGet     = op(iota + 1) // item i
	listSet                    // item i: the rest of the body
	listSetIf                  // as listSet, if j is its version
	listSee                    // the version of item i, and the item
	listInsert                 // the rest of the body as item i
	listAppend                 // items, each with its length
	listPop                    // item i, or the last one if i is -1
	listLen                    // the number of items, and the version
	listSlice                  // items i to j, each with its length; j is -1 for the end
	listReplace                // all items, by those in the body, if j is the version, or -1
	listFind                   // the index of the first item that equals the rest of the body, from i on
)

func (l *list) serve(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(r.body) < 16 {
		r.reply(statusGone)
		return
	}
	i, j := int(binary.LittleEndian.Uint64(r.body)), int(binary.LittleEndian.Uint64(r.body[8:]))
	body := r.body[16:]
	n := len(l.items)
	switch r.op {
	case listPop:
		if i == -1 {
			i = n - 1
		}
		fallthrough
	case listGet, listSet, listSetIf, listSee:
		if i < 0 || i >= n {
			r.reply(statusRange)
			return
		}
	case listInsert:
		i = max(0, min(i, n))
	}
	switch r.op {
	case listInsert, listAppend, listPop:
		if l.fixed && n > 0 {
			r.reply(statusGone)
			return
		}
	}
	switch r.op {
	case listGet:
		r.reply(statusOK, l.items[i].value)
	case listSee:
		r.reply(statusOK, u64(l.items[i].version), l.items[i].value)
	case listSetIf, listSet:
		if r.op == listSetIf && l.items[i].version != uint64(j) {
			r.reply(statusChanged)
			return
		}
		l.items[i].value = append(l.items[i].value[:0], body...)
		l.items[i].version = l.changeLocked()
		r.reply(statusOK)
	case listInsert:
		l.items = slices.Insert(l.items, i, listItem{slices.Clone(body), l.changeLocked()})
		r.reply(statusOK)
	case listAppend, listReplace:
		items, ok := cutItems(body)
		if !ok || l.fixed && r.op == listReplace && len(items) != n {
			r.reply(statusRange)
			return
		}
		if r.op == listReplace {
			if j != -1 && uint64(j) != l.version {
				r.reply(statusChanged)
				return
			}
			l.items = nil
		}
		version := l.changeLocked()
		for k := range items {
			items[k].version = version
		}
		l.items = append(l.items, items...)
		r.reply(statusOK)
	case listPop:
		value := l.items[i].value
		l.items = slices.Delete(l.items, i, i+1)
		l.changeLocked()
		r.reply(statusOK, value)
	case listLen:
		r.reply(statusOK, u64(uint64(n)), u64(l.version))
	case listSlice:
		if j == -1 {
			j = n
		}
		if i < 0 || i > j || j > n {
			r.reply(statusRange)
			return
		}
		all := u64(l.version)
		for _, item := range l.items[i:j] {
			all = codec.AppendBytes(all, item.value)
		}
		r.reply(statusOK, all)
	case listFind:
		for k := max(i, 0); k < n; k++ {
			if bytes.Equal(l.items[k].value, body) {
				r.reply(statusOK, u64(uint64(k)))
				return
			}
		}
		r.reply(statusNotFound)
	default:
		r.reply(statusGone)
	}
}

// changeLocked returns the version of a change. mu is held.
func (l *list) changeLocked() uint64 {
	l.version++
	return l.version
}

// cutItems returns the items in b, each with its length.
func cutItems(b []byte) ([]listItem, bool) {
	var items []listItem
	for len(b) > 0 {
		one, rest, ok := codec.Cut(b)
		if !ok {
			return nil, false
		}
		items = append(items, listItem{value: slices.Clone(one)})
		b = rest
	}
	return items, true
}

func (l *list) cancel(*client, uint64) {}
func (l *list) gone(*client)           {}
func (l *list) close()                 {}
