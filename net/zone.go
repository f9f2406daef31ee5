package net

import (
	"strconv"
	"sync/atomic"
	"time"

	stdnet "net"
)

// zoneTable has the names of the interfaces, which are the zones of IPv6
// addresses. It is kept for a minute: each datagram of a link-local peer asks for
// its zone.
type zoneTable struct {
	read  time.Time
	name  map[uint32]string
	index map[string]uint32
}

var zones atomic.Pointer[zoneTable]

// zoneLife is how long the table is believed, as in the standard library.
const zoneLife = time.Minute

// zoneNames returns the table, read anew if it is old or shall be fresh.
func zoneNames(fresh bool) (table *zoneTable, isFresh bool) {
	table = zones.Load()
	if table != nil && !fresh && time.Since(table.read) < zoneLife {
		return table, false
	}
	interfaces, err := stdnet.Interfaces()
	if err != nil && table != nil {
		return table, true
	}
	table = &zoneTable{time.Now(), make(map[uint32]string), make(map[string]uint32)}
	for _, i := range interfaces {
		table.name[uint32(i.Index)] = i.Name
		// The first of those that share a name, as in the standard library.
		if _, taken := table.index[i.Name]; !taken {
			table.index[i.Name] = uint32(i.Index)
		}
	}
	zones.Store(table)
	return table, true
}

// zoneIndex returns the number of a zone; a name that is unknown may be a number.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	table, fresh := zoneNames(false)
	n, ok := table.index[zone]
	if !ok && !fresh {
		table, _ = zoneNames(true)
		n, ok = table.index[zone]
	}
	if !ok {
		number, _ := strconv.ParseUint(zone, 10, 32)
		n = uint32(number)
	}
	return n
}

// zoneName returns the name of a zone, or its number if it has none.
func zoneName(index uint32) string {
	if index == 0 {
		return ""
	}
	table, fresh := zoneNames(false)
	name, ok := table.name[index]
	if !ok && !fresh {
		table, _ = zoneNames(true)
		name, ok = table.name[index]
	}
	if !ok {
		name = strconv.FormatUint(uint64(index), 10)
	}
	return name
}
