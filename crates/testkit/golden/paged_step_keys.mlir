module @paged_step_keys attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x6x16xf32>) {
    %0 = stablehlo.slice %arg0 [0:5, 36:48] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %1 = stablehlo.reshape %0 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %2 = stablehlo.constant dense<0.16666667> : tensor<f32>
    %3 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %4 = stablehlo.multiply %1, %1 : tensor<5x2x6xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.reduce(%4 init: %5) applies stablehlo.add across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %7 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %8 = stablehlo.multiply %6, %7 : tensor<5x2xf32>
    %9 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %10 = stablehlo.add %8, %9 : tensor<5x2xf32>
    %11 = stablehlo.rsqrt %10 : tensor<5x2xf32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %13 = stablehlo.multiply %1, %12 : tensor<5x2x6xf32>
    %14 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<6xf32>) -> tensor<5x2x6xf32>
    %15 = stablehlo.multiply %13, %14 : tensor<5x2x6xf32>
    %16 = stablehlo.slice %15 [0:5, 0:2, 0:3] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %17 = stablehlo.slice %15 [0:5, 0:2, 3:6] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %18 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<5x2x3xf32>
    %20 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %21 = stablehlo.multiply %17, %20 : tensor<5x2x3xf32>
    %22 = stablehlo.subtract %19, %21 : tensor<5x2x3xf32>
    %23 = stablehlo.multiply %17, %18 : tensor<5x2x3xf32>
    %24 = stablehlo.multiply %16, %20 : tensor<5x2x3xf32>
    %25 = stablehlo.add %23, %24 : tensor<5x2x3xf32>
    %26 = stablehlo.concatenate %22, %25, dim = 2 : (tensor<5x2x3xf32>, tensor<5x2x3xf32>) -> tensor<5x2x6xf32>
    %27 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %28 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %29 = stablehlo.compare EQ, %28, %27, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %30 = stablehlo.convert %29 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %31 = stablehlo.constant dense<0.0> : tensor<f32>
    %32 = stablehlo.reduce(%30 init: %31) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %33 = stablehlo.constant dense<1.0> : tensor<f32>
    %34 = stablehlo.broadcast_in_dim %33, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %35 = stablehlo.compare GE, %32, %34, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %36 = stablehlo.transpose %arg9, dims = [0, 3, 1, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x16x2x6xf32>
    %37 = stablehlo.reshape %36 : (tensor<6x16x2x6xf32>) -> tensor<96x2x6xf32>
    %38 = stablehlo.dot_general %30, %26, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %39 = stablehlo.broadcast_in_dim %35, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %40 = stablehlo.select %39, %38, %37 : tensor<96x2x6xi1>, tensor<96x2x6xf32>
    %41 = stablehlo.reshape %40 : (tensor<96x2x6xf32>) -> tensor<6x16x2x6xf32>
    %42 = stablehlo.transpose %41, dims = [0, 2, 3, 1] : (tensor<6x16x2x6xf32>) -> tensor<6x2x6x16xf32>
    return %42 : tensor<6x2x6x16xf32>
  }
}
