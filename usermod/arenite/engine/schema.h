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
    ADD = 0, AVERAGE_POOL_2D = 1, CONCATENATION = 2, CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DEPTH_TO_SPACE = 5,
    DEQUANTIZE = 6, EMBEDDING_LOOKUP = 7, FULLY_CONNECTED = 9, LOGISTIC = 14, MAX_POOL_2D = 17, MUL = 18, RELU = 19,
    RELU6 = 21, RESHAPE = 22, RESIZE_BILINEAR = 23, SOFTMAX = 25, SPACE_TO_DEPTH = 26, CUSTOM = 32, PAD = 34,
    GATHER = 36, BATCH_TO_SPACE_ND = 37, SPACE_TO_BATCH_ND = 38, TRANSPOSE = 39, MEAN = 40, SUB = 41, DIV = 42,
    SQUEEZE = 43, STRIDED_SLICE = 45, SPLIT = 49, MAXIMUM = 55, MINIMUM = 57, LESS = 58, PADV2 = 60, GREATER = 61,
    GREATER_EQUAL = 62, LESS_EQUAL = 63, SLICE = 65, TILE = 69, EXPAND_DIMS = 70, EQUAL = 71, NOT_EQUAL = 72,
    SHAPE = 77, POW = 78, PACK = 83, LOGICAL_OR = 84, LOGICAL_AND = 86, UNPACK = 88, FLOOR_DIV = 90, ZEROS_LIKE = 93,
    FILL = 94, FLOOR_MOD = 95, RANGE = 96, RESIZE_NEAREST_NEIGHBOR = 97, SQUARED_DIFFERENCE = 99, MIRROR_PAD = 100,
    SPLIT_V = 102, REVERSE_V2 = 105, GATHER_ND = 107, WHERE = 109, QUANTIZE = 114, IF = 118, WHILE = 119,
    SCATTER_ND = 122, PLACEHOLDER_FOR_GREATER_OP_CODES = 127, CALL_ONCE = 129, BROADCAST_TO = 130, VAR_HANDLE = 142,
    READ_VARIABLE = 143, ASSIGN_VARIABLE = 144, BROADCAST_ARGS = 145, DYNAMIC_UPDATE_SLICE = 151,
};

// BuiltinOptions: the types of the union.
enum {
    NoOptions = 0, Conv2DOptions = 1, DepthwiseConv2DOptions = 2, Pool2DOptions = 5, FullyConnectedOptions = 8,
    SoftmaxOptions = 9, ConcatenationOptions = 10, AddOptions = 11, ResizeBilinearOptions = 15, ReshapeOptions = 17,
    SpaceToDepthOptions = 19, MulOptions = 21, PadOptions = 22, GatherOptions = 23, BatchToSpaceNDOptions = 24,
    SpaceToBatchNDOptions = 25, TransposeOptions = 26, ReducerOptions = 27, SubOptions = 28, DivOptions = 29,
    SqueezeOptions = 30, StridedSliceOptions = 32, SplitOptions = 35, DequantizeOptions = 38,
    MaximumMinimumOptions = 39, LessOptions = 41, PadV2Options = 43, GreaterOptions = 44, GreaterEqualOptions = 45,
    LessEqualOptions = 46, SliceOptions = 48, TileOptions = 51, ExpandDimsOptions = 52, EqualOptions = 53,
    NotEqualOptions = 54, ShapeOptions = 55, PowOptions = 56, PackOptions = 59, LogicalOrOptions = 60,
    LogicalAndOptions = 62, UnpackOptions = 64, FloorDivOptions = 65, ZerosLikeOptions = 67, FillOptions = 68,
    FloorModOptions = 72, RangeOptions = 73, ResizeNearestNeighborOptions = 74, SquaredDifferenceOptions = 76,
    MirrorPadOptions = 77, SplitVOptions = 79, ReverseV2Options = 81, GatherNdOptions = 83, WhereOptions = 85,
    QuantizeOptions = 89, IfOptions = 92, WhileOptions = 93, DepthToSpaceOptions = 94, ScatterNdOptions = 97,
    CallOnceOptions = 103, BroadcastToOptions = 104, VarHandleOptions = 111, ReadVariableOptions = 112,
    AssignVariableOptions = 113, DynamicUpdateSliceOptions = 117,
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
enum { REDUCER_KEEP_DIMS = 0 };
enum { CONCATENATION_AXIS = 0, CONCATENATION_ACTIVATION = 1, PACK_AXIS = 1, UNPACK_AXIS = 1 };
enum {
    STRIDED_SLICE_BEGIN_MASK = 0, STRIDED_SLICE_END_MASK = 1, STRIDED_SLICE_ELLIPSIS_MASK = 2,
    STRIDED_SLICE_NEW_AXIS_MASK = 3, STRIDED_SLICE_SHRINK_AXIS_MASK = 4, STRIDED_SLICE_OFFSET = 5,
};
enum { BLOCK_SIZE = 0 }; // of SpaceToDepthOptions, DepthToSpaceOptions
enum { MIRROR_PAD_MODE = 0, MIRROR_REFLECT = 0, MIRROR_SYMMETRIC = 1 };
enum { SQUEEZE_DIMS = 0 };
enum { GATHER_AXIS = 0, GATHER_BATCH_DIMS = 1 };
enum { RESIZE_BILINEAR_ALIGN_CORNERS = 2, RESIZE_BILINEAR_HALF_PIXEL_CENTERS = 3 };
enum { RESIZE_NEAREST_ALIGN_CORNERS = 0, RESIZE_NEAREST_HALF_PIXEL_CENTERS = 1 };
enum { IF_THEN = 0, IF_ELSE = 1 };
enum { WHILE_CONDITION = 0, WHILE_BODY = 1 };
enum { CALL_ONCE_INIT = 0 };
enum { VAR_HANDLE_CONTAINER = 0, VAR_HANDLE_SHARED_NAME = 1 };

#endif // ARENITE_ENGINE_SCHEMA_H
