package wire

// Sentence is the one sentence that people read for a code. Unknown languages read Portuguese.
func Sentence(c Code, lang string) string {
	s, ok := sentences()[c]
	if !ok {
		s = sentences()[Internal]
	}
	switch lang {
	case "en":
		return s[1]
	case "es":
		return s[2]
	default:
		return s[0]
	}
}

// sentences in Portuguese, English and Spanish.
func sentences() map[Code][3]string {
	return map[Code][3]string{
		InvalidRequest:      {"O pedido tem um erro.", "Something in the request is wrong.", "Hay un error en la solicitud."},
		Unauthenticated:     {"Entre na sua conta para continuar.", "Sign in to go on.", "Inicia sesión para continuar."},
		WrongPassword:       {"E-mail ou senha não conferem.", "E-mail or password is not right.", "El correo o la contraseña no coinciden."},
		Forbidden:           {"Sua conta não pode fazer isso.", "Your account may not do this.", "Tu cuenta no puede hacer esto."},
		ForeignOrigin:       {"Este pedido veio de outro site.", "This request came from another site.", "Esta solicitud vino de otro sitio."},
		NotFound:            {"Não encontramos o que você pediu.", "We did not find that.", "No encontramos lo que pediste."},
		NoPlace:             {"Você não está na fila.", "You are not in the queue.", "No estás en la fila."},
		EmailTaken:          {"Já existe uma conta com este e-mail.", "There is an account with this e-mail already.", "Ya existe una cuenta con este correo."},
		WeakPassword:        {"Escolha uma senha mais difícil de adivinhar.", "Choose a password that is harder to guess.", "Elige una contraseña más difícil de adivinar."},
		IdempotencyMismatch: {"Este pedido já foi feito com outro conteúdo.", "This request was made before with other content.", "Esta solicitud ya se hizo con otro contenido."},
		NotOpen:             {"A venda ainda não está aberta.", "The sale is not open yet.", "La venta aún no está abierta."},
		Closed:              {"A venda terminou.", "The sale is over.", "La venta terminó."},
		NotYourTurn:         {"Ainda não é a sua vez.", "It is not your turn yet.", "Aún no es tu turno."},
		NoLease:             {"O seu tempo para escolher acabou.", "Your time to choose is over.", "Se acabó tu tiempo para elegir."},
		Conflict:            {"Outra pessoa acabou de reservar esse lugar.", "Somebody else just took that place.", "Otra persona acaba de reservar ese lugar."},
		SoldOut:             {"Não há lugares livres para esse pedido.", "There are no free places for that.", "No hay lugares libres para ese pedido."},
		Limit:               {"Isso passa do limite por pessoa.", "That is more than one person may take.", "Eso supera el límite por persona."},
		Orphan:              {"Essa escolha deixaria um lugar sozinho.", "That choice would leave a single seat alone.", "Esa elección dejaría un asiento suelto."},
		UnknownUnit:         {"Esse lugar não existe.", "There is no such place.", "Ese lugar no existe."},
		Expired:             {"O tempo acabou.", "Time is up.", "Se acabó el tiempo."},
		AlreadyRenewed:      {"O tempo só pode ser estendido uma vez.", "More time can be had only once.", "El tiempo solo se puede ampliar una vez."},
		PaymentInProgress:   {"Há um pagamento em andamento.", "A payment is under way.", "Hay un pago en curso."},
		WrongState:          {"Isso não é possível no estado atual.", "That is not possible in the present state.", "Eso no es posible en el estado actual."},
		TooManyAttempts:     {"Foram tentativas demais para este pedido.", "There were too many attempts for this order.", "Hubo demasiados intentos para este pedido."},
		HoldExists:          {"Você já tem lugares reservados.", "You already hold places.", "Ya tienes lugares reservados."},
		Removed:             {"Sua conta foi retirada desta fila.", "Your account was removed from this queue.", "Tu cuenta fue retirada de esta fila."},
		Busy:                {"Muita gente agora; tente de novo em instantes.", "Very busy now; try again in a moment.", "Hay mucha gente ahora; intenta de nuevo en un momento."},
		Unavailable:         {"O serviço está voltando; tente de novo em instantes.", "The service is coming back; try again in a moment.", "El servicio está volviendo; intenta de nuevo en un momento."},
		TooManyRequests:     {"Foram pedidos demais; espere um pouco.", "Too many requests; wait a little.", "Demasiadas solicitudes; espera un poco."},
		TooLarge:            {"O pedido é grande demais.", "The request is too large.", "La solicitud es demasiado grande."},
		Internal:            {"Algo deu errado do nosso lado.", "Something went wrong on our side.", "Algo salió mal de nuestro lado."},
	}
}
