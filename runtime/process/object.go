package process

import (
	"sync"
	"sync/atomic"
)

// A client is a process that uses objects of this one: another one, by its link, or
// this one itself.
type client struct {
	link *link
	dead atomic.Bool // set before the objects are told
}

// here is this process as a client of itself.
var here client

// op is what is asked of an object; each kind of object has its own.
type op byte

// A request asks an object to do something. It is valid, but for what answer needs,
// until serve returns.
type request struct {
	from   *client
	id     uint64
	op     op
	body   []byte
	fds    []int // closed after serve, unless set to nil
	oneWay bool
}

// answer is where the reply to a request goes.
type answer struct {
	to     *client
	id     uint64
	oneWay bool
}

func (r *request) answer() answer { return answer{to: r.from, id: r.id, oneWay: r.oneWay} }

func (r *request) reply(s status, parts ...[]byte) { r.answer().reply(s, parts...) }

// reply sends the reply, once. It does not wait, and may be called from anywhere.
func (a answer) reply(s status, parts ...[]byte) { a.replyWith(s, nil, parts...) }

// replyWith is reply with descriptors, which are closed when they were sent.
func (a answer) replyWith(s status, fds []int, parts ...[]byte) {
	if a.oneWay {
		closeAll(fds)
		return
	}
	if l := a.to.link; l != nil {
		l.post(header{kind: kindReply, code: byte(s), id: a.id}, fds, parts...)
		return
	}
	if c := localCalls.remove(a.id); c != nil {
		var body []byte
		for _, part := range parts {
			body = append(body, part...)
		}
		c.complete(reply{status: s, body: body, fds: fds})
	}
}

// localCalls are those of this process to its own objects.
var localCalls calls

// An object is what several processes use and one owns. Its methods are called by any
// number of parties at once, and do not wait.
type object interface {
	// serve deals with a request, and sees to it that it is answered once, now or
	// later.
	serve(r *request)
	// cancel makes a request be answered at once that was not yet, with
	// statusTimeout. It does nothing for one that was.
	cancel(from *client, id uint64)
	// gone forgets a client that has died, and gives back what it held.
	gone(c *client)
	// close answers what still waits with statusGone.
	close()
}

// objects are those of this process.
var objects objectTable

type objectTable struct {
	last atomic.Uint64
	mu   sync.RWMutex // held for a few instructions
	m    map[uint64]object
}

// add enters o and returns its number.
func (t *objectTable) add(o object) uint64 {
	id := t.last.Add(1)
	if q, ok := o.(*queueObject); ok {
		q.id = id
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[uint64]object)
	}
	t.m[id] = o
	return id
}

func (t *objectTable) get(id uint64) object {
	if id == rootID {
		return &root
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[id]
}

// remove takes the object out and closes it. It reports whether there was one.
func (t *objectTable) remove(id uint64) bool {
	t.mu.Lock()
	o := t.m[id]
	delete(t.m, id)
	t.mu.Unlock()
	if o == nil {
		return false
	}
	o.close()
	return true
}

func (t *objectTable) serve(id uint64, r *request) {
	o := t.get(id)
	if o == nil {
		r.reply(statusGone)
		return
	}
	o.serve(r)
}

func (t *objectTable) cancel(id uint64, from *client, call uint64) {
	if o := t.get(id); o != nil {
		o.cancel(from, call)
	}
}

// gone tells all objects that a client has died.
func (t *objectTable) gone(c *client) {
	t.mu.RLock()
	all := make([]object, 0, len(t.m))
	for _, o := range t.m {
		all = append(all, o)
	}
	t.mu.RUnlock()
	for _, o := range all {
		o.gone(c)
	}
}
