package storage

import (
	"os/user"
	"strconv"
	"sync"
)

// owners caches the names of users and groups for the process: a listing asks for the same few a
// hundred thousand times, and each answer may come from a directory server. What has no name is
// cached as "". An account renamed while the server runs shows its old name.
type owners struct {
	mu     sync.RWMutex // guards:
	names  map[uint32]string
	lookup func(id string) (string, error)
}

// maxOwners bounds the cache. Ids are made by whoever can chown, so their number is not ours.
const maxOwners = 4096

var (
	userNames  = &owners{lookup: userName}
	groupNames = &owners{lookup: groupName}
)

func userName(id string) (string, error) {
	u, err := user.LookupId(id)
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

func groupName(id string) (string, error) {
	g, err := user.LookupGroupId(id)
	if err != nil {
		return "", err
	}
	return g.Name, nil
}

// name returns the name of id, "" if it has none.
func (o *owners) name(id uint32) string {
	o.mu.RLock()
	name, ok := o.names[id]
	o.mu.RUnlock()
	if ok {
		return name
	}
	// Outside the lock: one slow answer must not hold up other listings.
	name, err := o.lookup(strconv.FormatUint(uint64(id), 10))
	if err != nil {
		name = ""
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil || len(o.names) >= maxOwners {
		o.names = make(map[uint32]string)
	}
	o.names[id] = name
	return name
}
