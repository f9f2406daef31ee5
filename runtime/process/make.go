package process

func makeObject(kind byte, params []byte) object { return nil }
