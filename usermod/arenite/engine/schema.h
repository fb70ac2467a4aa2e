// The parts of TensorFlow Lite's FlatBuffer schema that the engine and the operators read: field ids and enums
// under the schema's own names. Source: tensorflow/compiler/mlir/lite/schema/schema.fbs (version 3).

#ifndef ARENITE_ENGINE_SCHEMA_H
#define ARENITE_ENGINE_SCHEMA_H

enum { MODEL_VERSION = 0, MODEL_OPERATOR_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };

enum {
    OPERATOR_CODE_DEPRECATED_BUILTIN_CODE = 0, OPERATOR_CODE_CUSTOM_CODE = 1, OPERATOR_CODE_BUILTIN_CODE = 3,
};

enum { SUBGRAPH_TENSORS = 0, SUBGRAPH_INPUTS = 1, SUBGRAPH_OUTPUTS = 2, SUBGRAPH_OPERATORS = 3 };

enum {
    TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3, TENSOR_QUANTIZATION = 4,
    TENSOR_IS_VARIABLE = 5, TENSOR_SPARSITY = 6,
};

enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3, QUANTIZATION_QUANTIZED_DIMENSION = 6 };

enum { BUFFER_DATA = 0, BUFFER_OFFSET = 1, BUFFER_SIZE = 2 };

enum {
    OPERATOR_OPCODE_INDEX = 0, OPERATOR_INPUTS = 1, OPERATOR_OUTPUTS = 2, OPERATOR_BUILTIN_OPTIONS_TYPE = 3,
    OPERATOR_BUILTIN_OPTIONS = 4, OPERATOR_CUSTOM_OPTIONS = 5,
};

// BuiltinOperator
enum {
    ADD = 0, AVERAGE_POOL_2D = 1, CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DEQUANTIZE = 6, FLOOR = 8, FULLY_CONNECTED = 9,
    L2_NORMALIZATION = 11, LOGISTIC = 14, MAX_POOL_2D = 17, MUL = 18, RELU = 19, RELU_N1_TO_1 = 20, RELU6 = 21,
    RESHAPE = 22, SOFTMAX = 25, TANH = 28, CUSTOM = 32, PAD = 34, MEAN = 40, SUB = 41, DIV = 42, EXP = 47,
    LOG_SOFTMAX = 50, CAST = 53, PRELU = 54, MAXIMUM = 55, MINIMUM = 57, LESS = 58, NEG = 59, GREATER = 61,
    GREATER_EQUAL = 62, LESS_EQUAL = 63, SIN = 66, EQUAL = 71, NOT_EQUAL = 72, LOG = 73, SQRT = 75, RSQRT = 76,
    POW = 78, LOGICAL_OR = 84, LOGICAL_AND = 86, LOGICAL_NOT = 87, FLOOR_DIV = 90, SQUARE = 92, FLOOR_MOD = 95,
    LEAKY_RELU = 98, SQUARED_DIFFERENCE = 99, ABS = 101, CEIL = 104, ADD_N = 106, COS = 108, ELU = 111,
    QUANTIZE = 114, ROUND = 116, HARD_SWISH = 117, IF = 118, WHILE = 119, SELECT_V2 = 123,
    PLACEHOLDER_FOR_GREATER_OP_CODES = 127, CALL_ONCE = 129, VAR_HANDLE = 142, READ_VARIABLE = 143,
    ASSIGN_VARIABLE = 144,
};

// BuiltinOptions: the types of the union.
enum {
    NoOptions = 0, Conv2DOptions = 1, DepthwiseConv2DOptions = 2, Pool2DOptions = 5, FullyConnectedOptions = 8,
    SoftmaxOptions = 9, AddOptions = 11, L2NormOptions = 12, ReshapeOptions = 17, MulOptions = 21, PadOptions = 22,
    ReducerOptions = 27, SubOptions = 28, DivOptions = 29, ExpOptions = 33, LogSoftmaxOptions = 36, CastOptions = 37,
    DequantizeOptions = 38, MaximumMinimumOptions = 39, LessOptions = 41, NegOptions = 42, GreaterOptions = 44,
    GreaterEqualOptions = 45, LessEqualOptions = 46, EqualOptions = 53, NotEqualOptions = 54, PowOptions = 56,
    LogicalOrOptions = 60, LogicalAndOptions = 62, LogicalNotOptions = 63, FloorDivOptions = 65, SquareOptions = 66,
    FloorModOptions = 72, LeakyReluOptions = 75, SquaredDifferenceOptions = 76, AbsOptions = 78, AddNOptions = 82,
    CosOptions = 84, QuantizeOptions = 89, HardSwishOptions = 91, IfOptions = 92, WhileOptions = 93,
    SelectV2Options = 98, CallOnceOptions = 103, VarHandleOptions = 111, ReadVariableOptions = 112,
    AssignVariableOptions = 113,
};

enum { PADDING_SAME = 0, PADDING_VALID = 1 };

enum {
    ACTIVATION_NONE = 0, ACTIVATION_RELU = 1, ACTIVATION_RELU_N1_TO_1 = 2, ACTIVATION_RELU6 = 3,
    ACTIVATION_TANH = 4, ACTIVATION_SIGN_BIT = 5,
};

enum {
    CONV_2D_PADDING = 0, CONV_2D_STRIDE_W = 1, CONV_2D_STRIDE_H = 2, CONV_2D_ACTIVATION = 3,
    CONV_2D_DILATION_W = 4, CONV_2D_DILATION_H = 5,
};

enum {
    DEPTHWISE_PADDING = 0, DEPTHWISE_STRIDE_W = 1, DEPTHWISE_STRIDE_H = 2, DEPTHWISE_DEPTH_MULTIPLIER = 3,
    DEPTHWISE_ACTIVATION = 4, DEPTHWISE_DILATION_W = 5, DEPTHWISE_DILATION_H = 6,
};

enum {
    POOL_2D_PADDING = 0, POOL_2D_STRIDE_W = 1, POOL_2D_STRIDE_H = 2, POOL_2D_FILTER_W = 3, POOL_2D_FILTER_H = 4,
    POOL_2D_ACTIVATION = 5,
};

enum { FULLY_CONNECTED_ACTIVATION = 0, FULLY_CONNECTED_WEIGHTS_FORMAT = 1, FULLY_CONNECTED_KEEP_NUM_DIMS = 2 };
enum { ARITHMETIC_ACTIVATION = 0 }; // of AddOptions, SubOptions, MulOptions, DivOptions
enum { SOFTMAX_BETA = 0 };
enum { LEAKY_RELU_ALPHA = 0 };
enum { L2_NORMALIZATION_ACTIVATION = 0 };
enum { REDUCER_KEEP_DIMS = 0 };
enum { IF_THEN = 0, IF_ELSE = 1 };
enum { WHILE_CONDITION = 0, WHILE_BODY = 1 };
enum { CALL_ONCE_INIT = 0 };
enum { VAR_HANDLE_CONTAINER = 0, VAR_HANDLE_SHARED_NAME = 1 };

#endif // ARENITE_ENGINE_SCHEMA_H
