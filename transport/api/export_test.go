package api

// Routes lists what the server answers, as patterns.
func (s *Server) Routes() []string { return s.routes }
