module @gathered_sum_combine_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xf32>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x2xf32>, %arg4: tensor<4x21xf32>) -> (tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>) {
    %0 = stablehlo.constant dense<0> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<4x2xi32>
    %2 = stablehlo.maximum %arg1, %1 : tensor<4x2xi32>
    %3 = stablehlo.compare GE, %arg1, %1, SIGNED : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi1>
    %4 = "stablehlo.gather"(%arg0, %2) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<9x21xf32>, tensor<4x2xi32>) -> tensor<4x2x21xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4x2x21xf32>
    %7 = stablehlo.broadcast_in_dim %3, dims = [0, 1] : (tensor<4x2xi1>) -> tensor<4x2x21xi1>
    %8 = stablehlo.select %7, %4, %6 : tensor<4x2x21xi1>, tensor<4x2x21xf32>
    %9 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1] : (tensor<4x2xf32>) -> tensor<4x2x21xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<4x2x21xf32>
    %11 = stablehlo.constant dense<0.0> : tensor<f32>
    %12 = stablehlo.reduce(%10 init: %11) applies stablehlo.add across dimensions = [1] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x21xf32>
    %13 = stablehlo.broadcast_in_dim %arg4, dims = [0, 2] : (tensor<4x21xf32>) -> tensor<4x2x21xf32>
    %14 = stablehlo.multiply %13, %9 : tensor<4x2x21xf32>
    %15 = stablehlo.reshape %14 : (tensor<4x2x21xf32>) -> tensor<8x21xf32>
    %16 = stablehlo.reshape %arg2 : (tensor<9x1xi32>) -> tensor<9xi32>
    %17 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<9xi32>
    %18 = stablehlo.maximum %16, %17 : tensor<9xi32>
    %19 = stablehlo.compare GE, %16, %17, SIGNED : (tensor<9xi32>, tensor<9xi32>) -> tensor<9xi1>
    %20 = "stablehlo.gather"(%15, %18) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 21>}> : (tensor<8x21xf32>, tensor<9xi32>) -> tensor<9x21xf32>
    %21 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<9x21xf32>
    %22 = stablehlo.broadcast_in_dim %19, dims = [0] : (tensor<9xi1>) -> tensor<9x21xi1>
    %23 = stablehlo.select %22, %20, %21 : tensor<9x21xi1>, tensor<9x21xf32>
    %24 = stablehlo.multiply %8, %13 : tensor<4x2x21xf32>
    %25 = stablehlo.constant dense<0.0> : tensor<f32>
    %26 = stablehlo.reduce(%24 init: %25) applies stablehlo.add across dimensions = [2] : (tensor<4x2x21xf32>, tensor<f32>) -> tensor<4x2xf32>
    return %12, %23, %26 : tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>
  }
}
