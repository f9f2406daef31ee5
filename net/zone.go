package net

import (
	"strconv"
	"sync"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/runtime"
)

// zones are the names and indexes of interfaces, which IPv6 addresses with a
// zone carry in either form. Asking the kernel is a list of all interfaces, too
// much for each accepted connection.
var zones struct {
	sync.Mutex // held for a few instructions, or a look at the interfaces
	asked      runtime.Instant
	index      map[string]uint32
	name       map[uint32]string
}

// zonesFor is how long the interfaces are taken to be what they were. A name or
// index that is not among them is asked for at once.
const zonesFor = time.Minute

func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	zones.Lock()
	defer zones.Unlock()
	renewZones(false)
	index, ok := zones.index[zone]
	if !ok {
		renewZones(true)
		index, ok = zones.index[zone]
	}
	if !ok {
		n, _ := strconv.ParseUint(zone, 10, 32)
		return uint32(n)
	}
	return index
}

func zoneName(index uint32) string {
	if index == 0 {
		return ""
	}
	zones.Lock()
	defer zones.Unlock()
	renewZones(false)
	name, ok := zones.name[index]
	if !ok {
		renewZones(true)
		name, ok = zones.name[index]
	}
	if !ok {
		return strconv.FormatUint(uint64(index), 10)
	}
	return name
}

// renewZones asks the kernel if what is known is old, or not enough, yet then no
// more than once a second. Lock is held.
func renewZones(notEnough bool) {
	age := runtime.Now().Sub(zones.asked)
	if zones.asked != 0 && age < zonesFor && (!notEnough || age < time.Second) {
		return
	}
	all, err := stdnet.Interfaces()
	if err != nil {
		return
	}
	zones.asked = runtime.Now()
	zones.index, zones.name = make(map[string]uint32, len(all)), make(map[uint32]string, len(all))
	for _, i := range all {
		zones.index[i.Name] = uint32(i.Index)
		zones.name[uint32(i.Index)] = i.Name
	}
}
