package process

import (
	"encoding/binary"
	"sync"

	"github.com/weft-go/weft/runtime/process/internal/codec"
)

// dict is the object behind Dict and Namespace: a map of encoded keys to encoded values,
// which remembers the order in which the keys came.
type dict struct {
	mu      sync.Mutex // held for the time of one operation
	m       map[string]*dictEntry
	order   []*dictEntry
	deleted int // entries of order that are not in m
	version uint64
}

type dictEntry struct {
	key     string
	value   []byte
	version uint64 // 0 when it was deleted
}

const (
	dictGet    = op(iota + 1) // body: key
	dictSet                   // body: key with its length, value
	dictAdd                   // as dictSet, unless the key exists: the reply is its value then
	dictSetIf                 // body: version, key with its length, value; version 0: it does not exist
	dictSee                   // body: key; the reply is the version and the value, or version 0
	dictDelete                // body: key
	dictPop                   // body: key; the reply is the value
	dictPopAny                // the reply is the item that came last: key with its length, value
	dictUpdate                // body: keys and values, each with its length
	dictLen
	dictClear
	dictItems // the reply is keys and values, each with its length
	dictKeys
)

func (d *dict) serve(r *request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body := r.body
	seen := uint64(0)
	if r.op == dictSetIf {
		var ok bool
		if seen, ok = u64Of(body); !ok {
			r.reply(statusGone)
			return
		}
		body = body[8:]
	}
	switch r.op {
	case dictSet, dictAdd, dictSetIf:
		key, value, ok := codec.Cut(body)
		if !ok {
			r.reply(statusGone)
			return
		}
		e := d.m[string(key)]
		switch {
		case r.op == dictAdd && e != nil:
			r.reply(statusFull, e.value)
			return
		case r.op == dictSetIf && e.seen() != seen:
			r.reply(statusChanged)
			return
		}
		d.setLocked(key, value)
		r.reply(statusOK)
	case dictUpdate:
		for len(body) > 0 {
			key, rest, ok := codec.Cut(body)
			var value []byte
			if ok {
				value, rest, ok = codec.Cut(rest)
			}
			if !ok {
				r.reply(statusGone)
				return
			}
			d.setLocked(key, value)
			body = rest
		}
		r.reply(statusOK)
	case dictGet, dictPop, dictDelete:
		e := d.m[string(body)]
		if e == nil {
			r.reply(statusNotFound)
			return
		}
		if r.op != dictGet {
			d.deleteLocked(e)
		}
		if r.op == dictDelete {
			r.reply(statusOK)
		} else {
			r.reply(statusOK, e.value)
		}
	case dictSee:
		if e := d.m[string(body)]; e != nil {
			r.reply(statusOK, u64(e.version), e.value)
		} else {
			r.reply(statusOK, u64(0))
		}
	case dictPopAny:
		for i := len(d.order) - 1; i >= 0; i-- {
			if e := d.order[i]; e.version != 0 {
				d.deleteLocked(e)
				r.reply(statusOK, binary.AppendUvarint(nil, uint64(len(e.key))), []byte(e.key), e.value)
				return
			}
		}
		r.reply(statusNotFound)
	case dictLen:
		r.reply(statusOK, u64(uint64(len(d.m))))
	case dictClear:
		d.m, d.order, d.deleted = nil, nil, 0
		r.reply(statusOK)
	case dictItems, dictKeys:
		var all []byte
		for _, e := range d.order {
			if e.version == 0 {
				continue
			}
			all = append(binary.AppendUvarint(all, uint64(len(e.key))), e.key...)
			if r.op == dictItems {
				all = codec.AppendBytes(all, e.value)
			}
		}
		r.reply(statusOK, all)
	default:
		r.reply(statusGone)
	}
}

func (e *dictEntry) seen() uint64 {
	if e == nil {
		return 0
	}
	return e.version
}

// setLocked sets a value, which it copies. mu is held.
func (d *dict) setLocked(key, value []byte) {
	e := d.m[string(key)]
	if e == nil {
		if d.m == nil {
			d.m = make(map[string]*dictEntry)
		}
		e = &dictEntry{key: string(key)}
		d.m[e.key] = e
		d.order = append(d.order, e)
	}
	d.version++
	e.version = d.version
	e.value = append(e.value[:0], value...)
}

// deleteLocked takes e out. mu is held.
func (d *dict) deleteLocked(e *dictEntry) {
	delete(d.m, e.key)
	e.version = 0
	if d.deleted++; d.deleted > 16 && d.deleted > len(d.order)/2 {
		kept := d.order[:0]
		for _, e := range d.order {
			if e.version != 0 {
				kept = append(kept, e)
			}
		}
		clear(d.order[len(kept):])
		d.order, d.deleted = kept, 0
	}
}

func (d *dict) cancel(*client, uint64) {}
func (d *dict) gone(*client)           {}
func (d *dict) close()                 {}
