module @gathered_sum_combine_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xbf16>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x2xf32>, %arg4: tensor<4x21xbf16>) -> (tensor<4x21xbf16>, tensor<9x21xbf16>, tensor<4x2xf32>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xbf16>, tensor<4x2xi32>) -> tensor<4x2x21xbf16>
    %5 = stablehlo.constant dense<0.0> : tensor<bf16>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<4x2x21xbf16>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xbf16>
    %9 = stablehlo.convert %8 : (tensor<4x2x21xbf16>) -> tensor<4x2x21xf32>
    %10 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<4x2xf32>) -> tensor<4x2x21xf32>
    %11 = stablehlo.multiply %9, %10 : tensor<4x2x21xf32>
    %12 = stablehlo.constant dense<0.0> : tensor<f32>
    %13 = stablehlo.reduce(%11 init: %12) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %14 = stablehlo.convert %13 : (tensor<4x21xf32>) -> tensor<4x21xbf16>
    %15 = stablehlo.convert %arg4 : (tensor<4x21xbf16>) -> tensor<4x21xf32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [0, 2] : (tensor<4x21xf32>) -> tensor<4x2x21xf32>
    %17 = stablehlo.multiply %16, %10 : tensor<4x2x21xf32>
    %18 = stablehlo.convert %17 : (tensor<4x2x21xf32>) -> tensor<4x2x21xbf16>
    %19 = stablehlo.reshape %18 : (tensor<4x2x21xbf16>) -> tensor<8x21xbf16>
    %20 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %21 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %22 = stablehlo.maximum %20, %21 : tensor<9xi32>
    %23 = stablehlo.compare GE, %20, %21, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %24 = "stablehlo.gather"(%19, %22) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<8x21xbf16>, tensor<9xi32>) -> tensor<9x21xbf16>
    %25 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<bf16>) -> tensor<9x21xbf16>
    %26 = stablehlo.broadcast_in_dim %23, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %27 = stablehlo.select %26, %24, %25 : tensor<9x21xi1>, tensor<9x21xbf16>
    %28 = stablehlo.multiply %9, %16 : tensor<4x2x21xf32>
    %29 = stablehlo.constant dense<0.0> : tensor<f32>
    %30 = stablehlo.reduce(%28 init: %29) applies stablehlo.add across dimensions = [2] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x2xf32>
    return %14, %27, %30 : tensor<4x21xbf16>, tensor<9x21xbf16>, tensor<4x2xf32>
  }
}
