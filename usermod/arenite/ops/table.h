// The operators compiled in, one line each: AR_OP(name, type of its options, prepare), and with what puts its state
// back to the start AR_OP_STATE(name, type of its options, prepare, reset).

AR_OP(ADD, AddOptions, ar_prepare_add)
AR_OP_STATE(ASSIGN_VARIABLE, AssignVariableOptions, ar_prepare_assign_variable, ar_reset_variable)
AR_OP(AVERAGE_POOL_2D, Pool2DOptions, ar_prepare_average_pool_2d)
AR_OP_STATE(CALL_ONCE, CallOnceOptions, ar_prepare_call_once, ar_reset_call_once)
AR_OP(CONV_2D, Conv2DOptions, ar_prepare_conv_2d)
AR_OP(DEPTHWISE_CONV_2D, DepthwiseConv2DOptions, ar_prepare_depthwise_conv_2d)
AR_OP(DEQUANTIZE, DequantizeOptions, ar_prepare_dequantize)
AR_OP(DIV, DivOptions, ar_prepare_div)
AR_OP(EQUAL, EqualOptions, ar_prepare_equal)
AR_OP(FLOOR_DIV, FloorDivOptions, ar_prepare_floor_div)
AR_OP(FLOOR_MOD, FloorModOptions, ar_prepare_floor_mod)
AR_OP(FULLY_CONNECTED, FullyConnectedOptions, ar_prepare_fully_connected)
<<<<<<< HEAD
AR_OP(IF, IfOptions, ar_prepare_if)
=======
AR_OP(GREATER, GreaterOptions, ar_prepare_greater)
AR_OP(GREATER_EQUAL, GreaterEqualOptions, ar_prepare_greater_equal)
AR_OP(LESS, LessOptions, ar_prepare_less)
AR_OP(LESS_EQUAL, LessEqualOptions, ar_prepare_less_equal)
AR_OP(LOGICAL_AND, LogicalAndOptions, ar_prepare_logical_and)
AR_OP(LOGICAL_OR, LogicalOrOptions, ar_prepare_logical_or)
>>>>>>> wip-elementwise
AR_OP(LOGISTIC, NoOptions, ar_prepare_logistic)
AR_OP(MAXIMUM, MaximumMinimumOptions, ar_prepare_maximum)
AR_OP(MAX_POOL_2D, Pool2DOptions, ar_prepare_max_pool_2d)
AR_OP(MEAN, ReducerOptions, ar_prepare_mean)
AR_OP(MINIMUM, MaximumMinimumOptions, ar_prepare_minimum)
AR_OP(MUL, MulOptions, ar_prepare_mul)
AR_OP(NOT_EQUAL, NotEqualOptions, ar_prepare_not_equal)
AR_OP(PAD, PadOptions, ar_prepare_pad)
AR_OP(POW, PowOptions, ar_prepare_pow)
AR_OP(QUANTIZE, QuantizeOptions, ar_prepare_quantize)
AR_OP_STATE(READ_VARIABLE, ReadVariableOptions, ar_prepare_read_variable, ar_reset_variable)
AR_OP(RELU, NoOptions, ar_prepare_relu)
AR_OP(RELU6, NoOptions, ar_prepare_relu6)
AR_OP(RESHAPE, ReshapeOptions, ar_prepare_reshape)
AR_OP(SOFTMAX, SoftmaxOptions, ar_prepare_softmax)
<<<<<<< HEAD
AR_OP(VAR_HANDLE, VarHandleOptions, ar_prepare_var_handle)
AR_OP(WHILE, WhileOptions, ar_prepare_while)
=======
AR_OP(SQUARED_DIFFERENCE, SquaredDifferenceOptions, ar_prepare_squared_difference)
AR_OP(SUB, SubOptions, ar_prepare_sub)
>>>>>>> wip-elementwise
